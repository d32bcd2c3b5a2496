#pragma once

#include "energy/scaling.hpp"

namespace gaincal::tests {

/// A head of 64 rows and a window of 1024 with round energies: 1 nJ of cells and converters in K, 0.5 nJ in V, 4 nJ of
/// control, phases of 40 ns in all, and a leak that moves the stored voltage by 90 mV in 10 ms.
energy::Baseline sample_baseline();

}  // namespace gaincal::tests
