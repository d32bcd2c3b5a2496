#pragma once

#include <string>

#include "cli/command.hpp"
#include "device/conditions.hpp"

namespace gaincal::cli {

/// `--corner`, `--temperature`, `--supply`, `--chip` and `--strict`, for every command that takes a model.h5.
///
/// temperature  the option's name, where a command has another `--temperature`
void add_model_options(po::options_description& options, const std::string& temperature = "temperature");

/// Throws  UsageError for a value that is no temperature, supply or chip number
device::ModelChoice model_choice(const po::variables_map& values, const std::string& temperature = "temperature");

}  // namespace gaincal::cli
