#pragma once

#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

#include "netlist/design.hpp"
#include "spice/simulator.hpp"
#include "store/table.hpp"

namespace gaincal::sweep {

/// One figure of a circuit. The worst of it over conditions is the largest or the smallest.
struct Figure {
  std::string name, unit;  ///< unit as printed
  double scale = 1.0;      ///< printed = value / scale
  bool smallest_is_worst = false;
};

/// A circuit with the sweep that shows what it does.
struct SelfTest {
  std::string name, summary;
  std::string file;                      ///< template in netlists/
  std::vector<std::string> subcircuits;  ///< of it, whose pins are stated
  std::vector<std::string> overrides;    ///< `key=value` on the design
  std::vector<Figure> figures;
  std::function<std::vector<double>(spice::Simulator&, const netlist::Design&)> measure;
  bool stores = false;  ///< a cell, which gets a retention table
};

/// All circuits, in the order in which they are printed.
const std::vector<SelfTest>& self_tests();

struct SelfTestOptions {
  unsigned workers = 0;  ///< 0: all cores
  bool corners = true;   ///< all corners at -40, 27 and 125 degC beside the design's own condition
};

/// Values of one circuit: [condition][figure]; the first condition is the design's own.
struct SelfTestResult {
  std::string name, summary, pins;
  std::vector<Figure> figures;
  std::vector<std::string> conditions;  ///< "ss 125 C"
  std::vector<std::vector<double>> values;
  std::vector<std::string> failures;  ///< by condition; empty: none
};

/// design_file  empty: the built-in design
///
/// Throws  UsageError where the design cannot take the circuit; Error when no simulator can be started
SelfTestResult run_self_test(const SelfTest& test, const std::string& design_file, const SelfTestOptions& options);

/// Stored voltage over level and age with leak currents as they are, simulated with two sets of tolerances.
struct RetentionTable {
  std::string name;
  std::vector<double> v_start_V, ages_s;
  std::vector<std::vector<double>> v_store_V, v_tight_V;  ///< [level][age]; the second with ten times smaller floors
};
RetentionTable run_retention(const SelfTest& test, const std::string& design_file, const SelfTestOptions& options);

/// As tables of dataset.h5 (src/store/FORMAT.md): `circuit_<name>` and `retention_<name>`, SI.
store::Table table_of(const SelfTestResult& result);
store::Table table_of(const RetentionTable& table);

void print_self_test(std::ostream& stream, const SelfTestResult& result);
void print_retention(std::ostream& stream, const RetentionTable& table);

}  // namespace gaincal::sweep
