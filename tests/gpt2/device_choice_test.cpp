#include "gpt2/device_choice.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>

#include "core/error.hpp"
#include "gpt2/study.hpp"
#include "paper_circuit.hpp"
#include "reference.hpp"
#include "reference_model.hpp"
#include "store/model_file.hpp"

using namespace gaincal;
using namespace gaincal::gpt2;
using Catch::Contains;

namespace {

Config small_config() {
  Config config;
  config.n_layer = tests::kPaperCircuitLayers;
  config.n_head = 3;
  config.n_embd = 192;
  config.n_ctx = 256;
  return config;
}

}  // namespace

TEST_CASE("the device takes window and leak from the options, the checkpoint, the paper, in this order", "[gpt2]") {
  Config config = small_config();
  CHECK_FALSE(make_device("softmax", config).analog);
  CHECK(make_device("paper-linear", config).analog->window == 256);
  const auto read = [&](const Config& c, const DeviceOptions& options) {
    const auto device = make_device("paper-linear", c, options);
    return std::log(device.analog->read(0, 7) / device.analog->read(1, 7));
  };
  CHECK(read(config, {}) == Approx(1.6e-4).epsilon(0.01));
  config.gain_cell.leak_per_token = 1e-2;
  config.gain_cell.window = 64;
  CHECK(read(config, {}) == Approx(1e-2).epsilon(0.01));
  CHECK(make_device("paper-linear", config).analog->window == 64);
  DeviceOptions options;
  options.leak_per_token = 3e-2;
  options.window = 128;
  options.tile_map = attention::TileMap::absolute;
  CHECK(read(config, options) == Approx(3e-2).epsilon(0.01));
  const auto device = make_device("paper-nonlinear", config, options);
  CHECK(device.analog->window == 128);
  CHECK(device.analog->tile_map == attention::TileMap::absolute);
}

TEST_CASE("a device that does not exist or does not fit the heads is refused", "[gpt2]") {
  Config config = small_config();
  CHECK_THROWS_WITH(make_device("paper", config), Contains("device 'paper' is unknown"));
  CHECK_THROWS_WITH(make_device("none.h5", config), Contains("none.h5"));
  config.n_head = 2;
  CHECK_THROWS_WITH(make_device("paper-linear", config), Contains("heads of 96 values do not fit"));
  CHECK_FALSE(make_device("softmax", config).analog);
}

TEST_CASE("a study turns corner and mismatch of a circuit", "[gpt2]") {
  const tests::ScratchFolder scratch;
  const auto path = (scratch.path() / "model.h5").string();
  const device::CircuitModel nominal = tests::paper_circuit();
  device::CircuitModel slow = nominal;
  slow.cell.i_table_A = tests::sampled(0.0, 0.9, 181, [&](double v) { return 0.5 * nominal.cell.current_A(v); });
  store::ModelFile file{{}, nominal, {}};
  file.conditions = {{"tt", 27.0, 0.9}, {"tt", "ss"}, {27.0}, {0.9}, {nominal, slow}, {}};
  store::write_model(path, file);
  const Model model = Model::load(tests::source_dir() / "data" / "gpt2_small" / "linear");
  std::vector<TokenId> tokens(61);
  for (std::size_t t = 0; t < tokens.size(); ++t) tokens[t] = static_cast<TokenId>(t * t * 7 % 2000);
  const auto windows = split_text(tokens, 60, 60);
  const std::vector<Knob> knobs = {{"corner", {"tt", "ss"}}, {"mismatch", {"0.1"}}};
  const auto rows = run_study(model, path, {}, knobs, windows, 2);
  REQUIRE(rows.size() == 4);
  CHECK(rows[1].perplexity.value == rows[0].perplexity.value);
  CHECK(rows[2].perplexity.value ==
        evaluate_perplexity(model, make_device(path + "@ss", model.config()), windows).perplexity);
  CHECK(rows[2].perplexity.value != rows[0].perplexity.value);
  CHECK(rows[3].chips.size() == 2);
  const auto offered = default_knobs(path, model.config());
  CHECK(std::any_of(offered.begin(), offered.end(), [](const Knob& knob) { return knob.name == "corner"; }));
  CHECK_THROWS_WITH(run_study(model, path, {}, std::vector<Knob>{{"corner", {"ff"}}}, windows, 1),
                    Contains("no corner"));
  CHECK_THROWS_WITH(run_study(model, "paper-linear", {}, knobs, windows, 1), Contains("knob corner is of circuits"));
}

TEST_CASE("a circuit takes other levels and another leak", "[gpt2]") {
  const tests::ScratchFolder scratch;
  const auto path = (scratch.path() / "model.h5").string();
  store::write_model(path, {{}, tests::paper_circuit()});
  const Config config = small_config();
  const auto largest = [](const attention::Table& a, const attention::Table& b) { return (a - b).abs().maxCoeff(); };
  for (const auto& [bits, leak] : {std::pair(4, 1.6e-4), {2, 1e-2}, {3, 0.0}}) {
    DeviceOptions options;
    options.weight_levels = 1 << bits;
    options.query_levels = 32;
    options.output_levels = 16;
    options.leak_per_token = leak;
    const auto circuit = *make_device(path, config, options).analog;
    const auto paper = *make_device("paper-nonlinear", config, options).analog;
    CHECK(largest(circuit.read, paper.read) < 1e-3f);  // of 10: the circuit's curves are sampled
    CHECK(circuit.query_levels == 32);
    CHECK(circuit.output_levels == 16);
    CHECK(circuit.counter_max == 7);
  }
  DeviceOptions options;
  options.weight_levels = 64;  // the paper device takes its polynomial here, the circuit its table
  options.output_levels = options.query_levels = 0;
  const Model model = Model::load(tests::source_dir() / "data" / "gpt2_small" / "linear");
  std::vector<TokenId> tokens(60);
  for (std::size_t t = 0; t < tokens.size(); ++t) tokens[t] = static_cast<TokenId>(t * t * 7 % 2000);
  const Matrix a = hidden_states(model, make_device(path, model.config(), options), tokens),
               b = hidden_states(model, make_device("paper-nonlinear", model.config(), options), tokens);
  const Eigen::VectorXf error = (a - b).rowwise().lpNorm<Eigen::Infinity>();
  CHECK((error.array() < 1e-2f).count() >= 57);  // a level may flip at a rounding edge
  options.weight_levels = 0;
  CHECK_THROWS_WITH(make_device(path, config, options), Contains("model.h5: cells hold levels"));
}

TEST_CASE("a chip has the mismatch of its circuit, or what is asked for", "[gpt2]") {
  const tests::ScratchFolder scratch;
  const auto path = (scratch.path() / "model.h5").string();
  device::CircuitModel circuit = tests::paper_circuit();
  store::write_model(path, {{}, circuit});
  const Config config = small_config();
  DeviceOptions options;
  CHECK(make_device(path, config).heads.empty());
  options.circuit.chip = 3;
  options.mismatch = 0.04;
  options.seed = 9;
  const Device chip = make_device(path, config, options);
  REQUIRE(chip.heads.size() == config.n_layer * config.n_head);
  CHECK(chip.analog->variation.cell_gain_sigma == 0.04);
  CHECK(chip.analog->variation.chip == 3);
  CHECK(chip.heads[4].layer == 1);
  CHECK(chip.heads[4].head == 1);
  options.threads = 3;
  CHECK(make_device(path, config, options).heads[5].k_gain == chip.heads[5].k_gain);
  options.circuit.chip = 4;
  CHECK(make_device(path, config, options).heads[5].k_gain != chip.heads[5].k_gain);
  DeviceOptions jitter;
  jitter.jitter = 0.01;
  const Device noisy = make_device("paper-linear", config, jitter);
  CHECK(noisy.heads.size() == chip.heads.size());
  CHECK(noisy.heads[0].k_gain.empty());
}

TEST_CASE("a circuit that computes the paper's equations gives the paper's logits", "[gpt2]") {
  const tests::ScratchFolder scratch;
  const auto path = scratch.path() / "model.h5";
  store::write_model(path, {{}, tests::paper_circuit()});
  const auto folder = tests::source_dir() / "data" / "gpt2_small" / "linear";
  const Model model = Model::load(folder);
  const auto text = Tokenizer::of_checkpoint(folder).encode(
      "= River =\nThe river rises in the hills above the village and flows to the sea. Its upper valley is narrow and "
      "steep, and its sides are covered with oak. Below the town the valley becomes wider, and the river divides into "
      "two channels which join again after eleven kilometres. A bridge with five arches was built in 1951, and the "
      "number of fish has increased since the weir was removed.");
  Device circuit = make_device(path.string(), model.config());
  REQUIRE(circuit.analog->counter_max == 15);
  circuit.analog->counter_max = 0;  // the published model has no such limit
  const auto logits_on = [&](const Device& device) { return logits(model, hidden_states(model, device, text)); };
  const Matrix paper = logits_on(make_device("paper-nonlinear", model.config()));
  const Matrix linear = logits_on(make_device("paper-linear", model.config()));
  const Matrix got = logits_on(circuit);
  const auto rms = [&](const Matrix& x) { return (x - paper).norm() / std::sqrt(static_cast<float>(x.size())); };
  CAPTURE(rms(got), rms(linear));
  CHECK(rms(got) < 0.02f);
  CHECK(rms(got) < 0.1f * rms(linear));
}
