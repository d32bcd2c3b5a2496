#pragma once

#include "fit/synthetic.hpp"

namespace gaincal::tests {

/// The synthetic circuit elsewhere: currents and converters follow the temperature as parabolas, leakage doubles every
/// 20 K; the corner ss has four fifths of the current.
SyntheticCircuit circuit_at(const std::string& corner, double temperature_C);

/// Tables of the nominal circuit (tt, 27 degC, 0.9 V), of tt and ss at -40, 27 and 85 degC, and left out at -6.5 and
/// 56 degC.
store::Dataset conditions_dataset();
fit::DesignFacts conditions_facts();

}  // namespace gaincal::tests
