#pragma once

#include <filesystem>
#include <string>

namespace gaincal::netlist {

/// `text` with `${NAME}`, `$NAME` and `${NAME:-otherwise}` replaced from the environment. An empty variable counts as
/// not set.
///
/// where   file and field, begins the message
/// Throws  UsageError naming the variable when it is not set and has no alternative
std::string with_environment(const std::string& text, const std::string& where);

/// Hash of a model file (or of one section of a `.lib` file; empty: all of it) and of every file that it includes.
///
/// where   file and field, begins the message
/// Throws  UsageError naming the path when a file is missing, or the sections there are when `section` is not
std::string model_file_hash(const std::filesystem::path& file, const std::string& section, const std::string& where);

}  // namespace gaincal::netlist
