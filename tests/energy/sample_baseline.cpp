#include "energy/sample_baseline.hpp"

namespace gaincal::tests {

using device::Origin;
using energy::Group;
using energy::Law;

energy::Baseline sample_baseline() {
  energy::Baseline baseline;
  device::CircuitModel& model = baseline.model;
  model.query_levels = 16;
  model.cell.t_pulse_max_s = 15e-9;
  model.cell.i_table_A = device::MonotoneCurve({0.0, 0.9}, {-2e-6, 2e-6});
  model.cell.a_table_C = device::MonotoneCurve({0.0, 0.9}, {0.0, 0.0});
  model.write = {{0.0, 0.45, 0.9}, {0.0, 0.45, 0.9}, {1e-15, 2e-15, 3e-15}, 0.0, 3e-9};
  model.read_energy.e_edge_J = device::MonotoneCurve({0.0, 0.9}, {1e-15, 1e-15});
  model.read_energy.e_word_line_J = device::MonotoneCurve({0.0, 0.9}, {0.5e-15, 0.5e-15});
  model.read_energy.p_W = device::MonotoneCurve({0.0, 0.9}, {1e-6, 1e-6});
  model.score_readout.positive.slope_s_per_C = 15e-9 / 150e-15;  // a ramp of 10 uA
  model.output_readout.positive.slope_s_per_C = 15e-9 / 75e-15;
  model.leak.age_s = {0.0, 10e-3};
  model.leak.v0_V = {0.0, 0.45, 0.9};
  model.leak.v_V = {0.0, 0.09, 0.45, 0.45, 0.9, 0.81};
  model.phases = {{"write", 5e-9, Origin::assumed},
                  {"score pulse", 10e-9, Origin::paper},
                  {"score conversion and sum pulse", 10e-9, Origin::paper},
                  {"output conversion", 11e-9, Origin::paper},
                  {"add", 4e-9, Origin::assumed}};
  model.t_token_s = 40e-9;
  const auto part = [&](const char* name, Law law, Group group, double full_J, Origin origin) {
    baseline.account.parts.push_back({name, law, group, 0.1 * full_J, full_J, 0.0, origin, ""});
  };
  part("write", Law::rows, Group::other, 64e-12, Origin::extracted);
  part("K word lines", Law::cells, Group::score_arrays, 100e-12, Origin::extracted);
  part("K cells", Law::cells, Group::score_arrays, 500e-12, Origin::extracted);
  part("K converters", Law::columns, Group::score_arrays, 400e-12, Origin::extracted);
  part("V word lines", Law::cells, Group::sum_arrays, 50e-12, Origin::extracted);
  part("V cells", Law::cells, Group::sum_arrays, 150e-12, Origin::extracted);
  part("signed converters", Law::outputs, Group::sum_arrays, 300e-12, Origin::extracted);
  part("control and routing", Law::constant, Group::other, 4e-9, Origin::paper);
  baseline.account.window_columns = 1024.0;
  baseline.account.head_size = 64.0;
  baseline.account.mean_columns = 100.0;
  baseline.shape = {64.0, 1024.0, 1e-12, 0.5e-12};
  return baseline;
}

}  // namespace gaincal::tests
