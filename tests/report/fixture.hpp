#pragma once

#include <filesystem>
#include <string>

#include "store/model_file.hpp"
#include "store/table.hpp"

namespace gaincal::tests {

/// A device name that breaks a page which does not escape it: it would set `window.intruder`.
inline constexpr const char* kHostileName = "<script>window.intruder = true</script>\"'`touch intruder`&amp;";

/// A made-up circuit with smooth curves, and the tables that the flow writes.
store::ModelFile report_model();
store::Dataset report_dataset();
store::Dataset report_results();

/// What `gaincal gpt2 sweep` writes, with a hostile knob.
store::Dataset report_study();
/// What `gaincal netlist --self-test --out` writes: a circuit with a condition that failed, and a retention table.
store::Dataset report_circuits();
/// Reads over stored voltage, width and `axis`: "corner" or "sample".
store::Dataset report_sweep(const std::string& axis);

/// All of them as files in a folder, where `gaincal report` looks for them.
void write_report_files(const std::filesystem::path& folder);

}  // namespace gaincal::tests
