/// GPT-2 124M with random weights on this machine, one thread unless a line says otherwise.
///
/// Times are processor time of the calling thread (a busy machine stretches wall time, and shared caches and memory
/// stretch this too): the ratios to the plain matrix products of the same run count. Exits 1 beyond the limits below.
#include <cblas.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "bench/circuit_like.hpp"
#include "bench/processes.hpp"
#include "bench/random_checkpoint.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "core/random.hpp"
#include "gpt2/device_choice.hpp"
#include "gpt2/evaluate.hpp"

namespace {

using namespace gaincal;
using namespace gaincal::gpt2;

constexpr std::size_t kTokens = 1024;
constexpr int kRounds = 9, kThreadRounds = 5;
// Limits: 3.6 s where the products take 2.4 s, of it 0.6 s attention.
constexpr double kMaxTotal = 3.6 / 2.4, kMaxAttention = 0.6 / 2.4, kMaxCircuit = 1.3;
// Two threads against one: 1.8 times where two processes of the same work gain that, else 95 % of what they gain.
constexpr double kMinThreads = 1.8, kOfProcesses = 0.95;
constexpr double kMaxDecodeSpread = 1.1, kMaxDecode = 1.4;
constexpr double kMaxMemory_MiB = 800.0;
constexpr double kMaxSlidingSpread = 1.1;

double thread_cpu_s() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

double cpu_s(const std::function<void()>& body) {
  const double start_s = thread_cpu_s();
  body();
  return thread_cpu_s() - start_s;
}

double wall_s(const std::function<void()>& body) {
  const double start_s = monotonic_seconds();
  body();
  return monotonic_seconds() - start_s;
}

std::vector<TokenId> random_tokens(std::size_t count, std::size_t vocab) {
  const CounterRandom random(2, 1);
  std::vector<TokenId> tokens(count);
  for (std::size_t i = 0; i < count; ++i)
    tokens[i] = static_cast<TokenId>(random.uniform(i) * static_cast<double>(vocab));
  return tokens;
}

/// The products of all linear layers and of the logits, nothing else: one call each, the best case.
class Products {
 public:
  explicit Products(const Model& model)
      : model_(model), x_(kTokens * model.config().n_inner, 0.5f), y_(kTokens * model.config().vocab_size) {}

  void run() {
    for (const Block& block : model_.blocks())
      for (const LinearWeights& w : {block.attention_in, block.attention_out, block.mlp_in, block.mlp_out})
        product(CblasNoTrans, w.weight, w.in, w.out);
    product(CblasTrans, model_.head(), model_.config().n_embd, model_.config().vocab_size);
  }

 private:
  void product(CBLAS_TRANSPOSE transpose, const float* w, std::size_t in, std::size_t out) {
    const auto m = static_cast<blasint>(kTokens), n = static_cast<blasint>(out), k = static_cast<blasint>(in);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, transpose, m, n, k, 1.0f, x_.data(), k, w, transpose == CblasTrans ? k : n,
                0.0f, y_.data(), n);
  }

  const Model& model_;
  std::vector<float> x_, y_;
};

/// Every weight once from memory, with as little arithmetic as can be.
std::uint32_t read_weights(const Model& model) {
  std::uint32_t sum = 0;
  const auto read = [&](const float* w, std::size_t n) {
    std::uint32_t lane[64] = {};
    for (std::size_t i = 0; i + 64 <= n; i += 64) {
      std::uint32_t words[64];
      std::memcpy(words, w + i, sizeof words);
      for (std::size_t l = 0; l < 64; ++l) lane[l] ^= words[l];
    }
    for (const std::uint32_t value : lane) sum += value;
  };
  for (const Block& block : model.blocks())
    for (const LinearWeights& w : {block.attention_in, block.attention_out, block.mlp_in, block.mlp_out})
      read(w.weight, w.in * w.out);
  read(model.head(), model.config().vocab_size * model.config().n_embd);
  return sum;
}

double evaluate_s(const Model& model, const Device& device, std::span<const TextWindow> windows, bool count) {
  EvaluateOptions options;
  options.count_activity = count;
  return cpu_s([&] { evaluate_perplexity(model, device, windows, options); });
}

/// One chip of a circuit-like device.
Device like_a_chip(const Device& paper, const Config& config) {
  Device chip{"like a circuit", tests::like_a_circuit(*paper.analog, true)};
  for (std::size_t i = 0; i < config.n_layer * config.n_head; ++i)
    chip.heads.push_back(attention::draw_head(*chip.analog, i / config.n_head, i % config.n_head));
  return chip;
}

/// Attention of every head once more on the operands that it had, timed alone.
double attention_s(const Model& model, const Device& device, std::span<const TokenId> tokens) {
  double total_s = 0.0;
  Matrix out;
  Witness witness;
  witness.on_head = [&](const HeadSignals& head) {
    out.resize(head.q.rows(), head.q.cols());
    const auto& scalers = model.scalers[head.layer * model.config().n_head + head.head];
    const auto instance = device.instance(head.layer * model.config().n_head + head.head, 0);
    total_s += cpu_s([&] {
      attention::attend(*device.analog, scalers, head.q, head.k, head.v, out, nullptr,
                        attention::KernelVersion::automatic, instance);
    });
  };
  hidden_states(model, device, tokens, witness);
  return total_s;
}

/// Brings `decoder` to a past of `past` tokens.
void fill(const Model& model, Decoder& decoder, std::size_t past) {
  const auto before = random_tokens(past, model.config().vocab_size);
  for (std::size_t begin = 0; begin < before.size(); begin += kTokens)
    decoder.extend(std::span(before).subspan(begin, std::min(kTokens, before.size() - begin)));
}

/// Median processor time of 100 steps with logits of each decoder, turn by turn: those of a machine that slows down are
/// slow for all, and the least of so many is a matter of luck where memory is shared.
std::vector<double> decode_s(const Model& model, std::vector<Decoder>& decoders) {
  constexpr std::size_t kSteps = 100;
  std::vector<float> scores(model.config().vocab_size);
  std::vector<std::vector<double>> step_s(decoders.size());
  for (std::size_t i = 0; i < kSteps; ++i)
    for (std::size_t d = 0; d < decoders.size(); ++d)
      step_s[d].push_back(cpu_s([&] {
        const auto hidden = decoders[d].step(static_cast<TokenId>(i));
        project_to_vocab(model.head(), scores.size(), model.config().n_embd, hidden.data(), 1, scores.data());
      }));
  std::vector<double> median_s;
  for (auto& s : step_s) {
    std::nth_element(s.begin(), s.begin() + kSteps / 2, s.end());
    median_s.push_back(s[kSteps / 2]);
  }
  return median_s;
}

double memory_MiB(const char* key) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.rfind(key, 0) == 0) return std::strtod(line.c_str() + std::strlen(key), nullptr) / 1024.0;
  return 0.0;
}

int run_child(const std::string& mode, const std::filesystem::path& folder) {
  const Model model = Model::load(folder);
  const auto tokens = random_tokens(kTokens + 1, model.config().vocab_size);
  const std::vector<TextWindow> windows = {{tokens, 0}};
  const Device paper = make_device("paper-nonlinear", model.config());
  evaluate_s(model, paper, windows, false);
  if (mode == "--window")
    std::printf("%.6f\n", wall_s([&] { evaluate_s(model, paper, windows, false); }));
  else
    std::printf("%.1f\n", memory_MiB("VmHWM:"));
  return 0;
}

void row(const char* name, double value, const char* unit) {
  std::printf("%-58s %9.3f %s\n", name, value, unit);
  std::fflush(stdout);
}

/// Processor time of a step in the second and the last 2,000 of 20,000 tokens, the least mean of 100 steps, turn by
/// turn, and the memory gained between.
struct Sliding {
  double early_s = 1e9, late_s = 1e9, growth_MiB = 0.0;
};
Sliding slide(const std::filesystem::path& folder) {
  constexpr std::size_t kText = 20000, kPart = 2000, kMean = 100;
  std::filesystem::create_directory(folder);
  tests::write_random_checkpoint(folder, {2, 2, 256, 1000});
  const Model model = Model::load(folder);
  const Device device = make_device("paper-nonlinear", model.config());
  const auto tokens = random_tokens(kText, 1000);
  Decoder early(model, device, BeyondContext::hold), late(model, device, BeyondContext::hold);
  const auto steps = [&](Decoder& decoder, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) decoder.step(tokens[decoder.tokens()]);
  };
  Sliding result;
  steps(early, kPart);
  steps(late, 2 * kPart);
  const double memory = memory_MiB("VmRSS:");
  steps(late, kText - 3 * kPart);
  for (std::size_t i = 0; i < kPart; i += kMean) {
    result.early_s = std::min(result.early_s, cpu_s([&] { steps(early, kMean); }) / kMean);
    result.late_s = std::min(result.late_s, cpu_s([&] { steps(late, kMean); }) / kMean);
  }
  result.growth_MiB = memory_MiB("VmRSS:") - memory;
  return result;
}

int run(const std::string& device_path, std::size_t longest_past) {
  const tests::ScratchFolder scratch;
  tests::write_random_checkpoint(scratch.path, {});
  const double peak_MiB = tests::run_selves({"--memory", scratch.path.string()}, 1)[0];
  const Model model = Model::load(scratch.path);
  const auto tokens = random_tokens(2 * kTokens + 1, model.config().vocab_size);
  const auto windows = split_text(tokens, kTokens, kTokens);
  const std::span<const TextWindow> one(windows.data(), 1);
  const Device paper = make_device("paper-nonlinear", model.config());
  Device circuit = like_a_chip(paper, model.config());
  if (!device_path.empty()) {
    DeviceOptions chip;
    chip.circuit.chip = 0;
    circuit = make_device(device_path, model.config(), chip);
  }
  const Device softmax = make_device("softmax", model.config());

  std::printf("GPT-2 124M, F32, random weights; 1024 tokens, all logits; processor time, best of %d\n", kRounds);
  Products products(model);
  products.run();
  double products_s = 1e9, paper_s = 1e9, circuit_s = 1e9, counted_s = 1e9, softmax_s = 1e9, analog_s = 1e9,
         analog_circuit_s = 1e9;
  for (int i = 0; i < kRounds; ++i) {  // turn by turn, so that a machine that slows down slows all alike
    products_s = std::min(products_s, cpu_s([&] { products.run(); }));
    paper_s = std::min(paper_s, evaluate_s(model, paper, one, false));
    circuit_s = std::min(circuit_s, evaluate_s(model, circuit, one, false));
    if (i == 0) {
      counted_s = evaluate_s(model, circuit, one, true);
      softmax_s = evaluate_s(model, softmax, one, false);
    }
    analog_s = std::min(analog_s, attention_s(model, paper, windows[0].tokens.first(kTokens)));
    analog_circuit_s = std::min(analog_circuit_s, attention_s(model, circuit, windows[0].tokens.first(kTokens)));
  }
  row("plain products of the linear layers and logits", products_s, "s");
  row("softmax", softmax_s, "s");
  if (const auto torch_s =
          tests::run_script(std::string(GAINCAL_SOURCE_DIR) + "/tests/bench/gpt2_torch.py", scratch.path))
    row("softmax in PyTorch", *torch_s, "s");
  row("paper-nonlinear, leak", paper_s, "s");
  row("  of it analog attention", analog_s, "s");
  row((circuit.name + ": mismatch, bit lines, converter tables").c_str(), circuit_s, "s");
  row("  of it analog attention", analog_circuit_s, "s");
  row("the same, counting every event", counted_s, "s");

  double one_thread_s = 1e9, two_threads_s = 1e9, one_process_s = 1e9, two_processes_s = 1e9;
  for (int i = 0; i < kThreadRounds; ++i) {
    const auto threads_s = [&](unsigned n) {
      return wall_s([&] { evaluate_perplexity(model, paper, windows, {n, "", {}, false}); });
    };
    one_thread_s = std::min(one_thread_s, threads_s(1));
    two_threads_s = std::min(two_threads_s, threads_s(2));
    one_process_s = std::min(one_process_s, tests::run_selves({"--window", scratch.path.string()}, 1)[0]);
    const auto both = tests::run_selves({"--window", scratch.path.string()}, 2);
    two_processes_s = std::min(two_processes_s, std::max(both[0], both[1]));
  }
  const double threads = one_thread_s / two_threads_s, processes = 2.0 * one_process_s / two_processes_s;
  row("two windows, one thread, wall time", one_thread_s, "s");
  row("two windows, two threads, wall time", two_threads_s, "s");
  row("gain of two threads, wall time", threads, "times");
  row("gain of two processes of a window each, wall time", processes, "times");

  std::uint32_t sum = 0;
  double weights_s = 1e9;
  for (int i = 0; i < 5; ++i) weights_s = std::min(weights_s, cpu_s([&] { sum += read_weights(model); }));
  if (sum == 0) throw Error("bench: the weights read as zero");
  // The limits are those of cells that are alike: a chip reads two numbers of every cell besides, 151 MB a token.
  Device alike = circuit;
  alike.heads.clear();
  alike.analog->variation = {};
  row("reading the weights once", 1e3 * weights_s, "ms");
  std::vector<std::size_t> pasts = {0, 900, 5000};
  std::erase_if(pasts, [&](std::size_t past) { return past > longest_past; });
  std::vector<Decoder> decoders;
  for (const std::size_t past : pasts) {
    decoders.emplace_back(model, alike, BeyondContext::hold);
    fill(model, decoders.back(), past);
  }
  decoders.emplace_back(model, circuit, BeyondContext::hold);
  fill(model, decoders.back(), 900);
  std::vector<double> steps_s = decode_s(model, decoders);
  row("decode with logits on a chip, past 900", 1e3 * steps_s.back(), "ms");
  steps_s.pop_back();
  for (std::size_t i = 0; i < pasts.size(); ++i)
    row(("decode with logits, past " + std::to_string(pasts[i])).c_str(), 1e3 * steps_s[i], "ms");
  const auto [least, most] = std::minmax_element(steps_s.begin(), steps_s.end());
  row("peak memory of one window", peak_MiB, "MiB");
  const Sliding sliding = slide(scratch.path / "small");
  row("small model, tokens 2,001 to 4,000 of a sliding text", 1e6 * sliding.early_s, "us/token");
  row("small model, tokens 18,001 to 20,000", 1e6 * sliding.late_s, "us/token");
  row("memory gained between", sliding.growth_MiB, "MiB");

  struct Ratio {
    const char* name;
    double value, limit;
    bool at_least;
  };
  const std::vector<Ratio> ratios = {
      {"total/products", paper_s / products_s, kMaxTotal, false},
      {"attention/products", analog_s / products_s, kMaxAttention, false},
      {"chip/paper", circuit_s / paper_s, kMaxCircuit, false},
      {"two threads", threads, std::min(kMinThreads, kOfProcesses * processes), true},
      {"decode spread", *most / *least, kMaxDecodeSpread, false},
      {"decode/weights", *most / weights_s, kMaxDecode, false},
      {"memory/800MiB", peak_MiB / kMaxMemory_MiB, 1.0, false},
      {"sliding spread", sliding.late_s / sliding.early_s, kMaxSlidingSpread, false},
      {"sliding MiB", sliding.growth_MiB, 1.0, false},
  };
  bool good = true;
  for (const Ratio& ratio : ratios) {
    const bool met = ratio.at_least ? ratio.value >= ratio.limit : ratio.value <= ratio.limit;
    good = good && met;
    std::printf("%s%s %.2f (%s %.2f)%s", &ratio == ratios.data() ? "" : ", ", ratio.name, ratio.value,
                ratio.at_least ? ">=" : "<=", ratio.limit, met ? "" : " MISSED");
  }
  std::printf("\n");
  return good ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const std::vector<std::string> words(argv + 1, argv + argc);
    std::string device;
    std::size_t past = 5000;
    if (words.size() == 2 && (words[0] == "--window" || words[0] == "--memory")) return run_child(words[0], words[1]);
    for (std::size_t i = 0; i < words.size(); i += 2) {
      if (i + 1 < words.size() && words[i] == "--device") {
        device = words[i + 1];
      } else if (i + 1 < words.size() && words[i] == "--past") {
        past = static_cast<std::size_t>(std::strtoull(words[i + 1].c_str(), nullptr, 10));
      } else {
        std::fprintf(stderr, "usage: bench_gpt2 [--device MODEL.h5] [--past LONGEST]\n");
        return 2;
      }
    }
    return run(device, past);
  } catch (const Error& failure) {
    std::fprintf(stderr, "bench_gpt2: %s\n", failure.what());
    return 1;
  }
}
