#pragma once

// Private to calib/size: what the search asks of a problem.
#include <string>
#include <vector>

#include "size/size.hpp"

namespace gaincal::size {

/// The source with assignments on it, or why it is no design.
Candidate candidate_of(const Source& source, const std::vector<std::string>& assignments);

/// The parts that the targets ask for.
std::vector<Part> parts_of(const Problem& problem);

/// Whether a setting of the design changes a part; what is in none of their tables changes all.
bool changes(const std::string& key, Part part);

}  // namespace gaincal::size
