#include <algorithm>
#include <cstdio>

#include "cli/gpt2_session.hpp"
#include "core/parallel.hpp"

namespace gaincal::cli {
namespace {

constexpr const char* kUsage =
    "gaincal gpt2 eval --model DIR --text FILE [--device softmax|paper-linear|paper-nonlinear|MODEL.h5]... [--out "
    "results.h5]";

struct DeviceResult {
  std::string device;
  gpt2::Perplexity perplexity;
};

void print_table(const std::vector<DeviceResult>& results) {
  std::size_t width = 6;
  for (const auto& result : results) width = std::max(width, result.device.size());
  std::printf("%-*s  %10s  %8s  %10s  %7s  %8s  %7s\n", static_cast<int>(width), "device", "perplexity", "+-",
              "nat/token", "windows", "tokens", "s");
  for (const auto& [device, p] : results) {
    std::size_t tokens = 0;
    for (const auto& window : p.windows) tokens += window.tokens;
    std::printf("%-*s  %10.3f  %8.3f  %10.5f  %7zu  %8zu  %7.1f\n", static_cast<int>(width), device.c_str(),
                p.perplexity, p.standard_error, p.mean_nll, p.windows.size(), tokens, p.seconds);
  }
}

store::Dataset as_dataset(const std::vector<DeviceResult>& results) {
  store::Dataset dataset = new_results();
  store::Axis devices{"device", "1", {}, {}, "what computed the attention"};
  const store::Axis windows =
      counted_axis("window", results.front().perplexity.windows.size(), "passes over the text, in order");
  store::Quantity perplexity{"perplexity", "1", "exp(nll)", {}};
  store::Quantity error{"standard_error", "1", "of the perplexity, from the spread between windows", {}};
  store::Quantity mean{"nll", "1", "mean negative log-likelihood in nat per token", {}};
  store::Quantity window_nll{"nll", "1", "mean negative log-likelihood in nat per token", {}};
  store::Quantity window_tokens{"tokens", "1", "tokens predicted", {}};
  for (const auto& [device, p] : results) {
    devices.values.push_back(static_cast<double>(devices.values.size()));
    devices.labels.push_back(device);
    perplexity.values.push_back(p.perplexity);
    error.values.push_back(p.standard_error);
    mean.values.push_back(p.mean_nll);
    for (const auto& window : p.windows) {
      window_nll.values.push_back(window.mean());
      window_tokens.values.push_back(static_cast<double>(window.tokens));
    }
  }
  dataset.tables = {{"perplexity", "perplexity of the text per device", {devices}, {perplexity, error, mean}, {}, {}},
                    {"windows", "loss of each pass", {devices, windows}, {window_nll, window_tokens}, {}, {}}};
  return dataset;
}

/// Devices at once, each with the whole text as one stream.
std::vector<DeviceResult> evaluate_stream(const Session& session, const std::vector<gpt2::Device>& devices,
                                          const std::string& beyond, const Text& text, unsigned threads) {
  const gpt2::BeyondContext positions = gpt2::beyond_context(beyond, "--sliding");
  if (positions == gpt2::BeyondContext::refuse) throw UsageError("--sliding: choose hold or wrap");
  std::vector<DeviceResult> results(devices.size());
  parallel_for(devices.size(), threads, [&](std::size_t d) {
    gpt2::EvaluateOptions evaluate;
    evaluate.count_activity = false;
    if (d == 0) evaluate.progress = devices[d].name;
    results[d] = {devices[d].name, evaluate_sliding(session.model, devices[d], text.tokens, positions, evaluate)};
  });
  return results;
}

}  // namespace

int run_gpt2_eval(const std::vector<std::string>& arguments) {
  po::options_description options("options");
  add_session_options(options);
  add_text_options(options);
  add_devices_option(options);
  add_output_options(options);
  options.add_options()("sliding", po::value<std::string>(),
                        "the whole text as one stream, the window sliding; position embedding beyond the context: hold "
                        "(the last) or wrap (from the first again)");
  const auto values = parse_arguments(kUsage, options, {}, arguments);
  if (!values) return 0;
  const bool sliding = values->count("sliding") > 0;
  for (const char* name : {"context", "stride", "max-windows"})
    if (sliding && values->count(name) > 0)
      throw UsageError(std::string("--sliding and --") + name + " exclude each other; give one");
  const unsigned threads = thread_count(*values);
  const Session session(*values, kUsage);
  const auto devices = session.devices(*values);
  const Text text(*values, session, kUsage);
  Output output(*values);
  std::vector<DeviceResult> results;
  if (sliding) {
    results = evaluate_stream(session, devices, (*values)["sliding"].as<std::string>(), text, threads);
  } else {
    for (const gpt2::Device& device : devices) {
      gpt2::EvaluateOptions evaluate;
      evaluate.threads = threads;
      evaluate.count_activity = false;
      evaluate.progress = evaluate.part = device.name;
      evaluate.journal = output.journal();
      results.push_back({device.name, evaluate_perplexity(session.model, device, text.windows, evaluate)});
    }
  }
  print_table(results);
  output.write(as_dataset(results));
  return 0;
}

}  // namespace gaincal::cli
