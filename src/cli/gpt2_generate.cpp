#include <cstdio>
#include <iostream>

#include "cli/gpt2_session.hpp"
#include "core/files.hpp"
#include "core/log.hpp"
#include "core/units.hpp"
#include "energy/account.hpp"
#include "energy/prices.hpp"
#include "gpt2/generate.hpp"

namespace gaincal::cli {
namespace {

constexpr const char* kUsage =
    "gaincal gpt2 generate --model DIR --prompt TEXT [--device softmax|paper-linear|paper-nonlinear|MODEL.h5]";

constexpr const char* kCircuitTemperature = "circuit-temperature";  // --temperature is that of the sampling

std::string prompt_text(const po::variables_map& values) {
  if (values.count("prompt") > 0 && values.count("prompt-file") > 0)
    throw UsageError("--prompt and --prompt-file exclude each other; give one");
  if (values.count("prompt-file") > 0) return read_file(values["prompt-file"].as<std::string>());
  return values.count("prompt") > 0 ? values["prompt"].as<std::string>() : std::string();
}

gpt2::GenerateOptions generate_options(const po::variables_map& values) {
  gpt2::GenerateOptions options;
  options.tokens = static_cast<std::size_t>(whole_number(values, "tokens", 1, UINT32_MAX));
  options.sampling.temperature = parse_quantity(values["temperature"].as<std::string>(), Unit::none, "--temperature");
  options.sampling.top_k = static_cast<std::size_t>(whole_number(values, "top-k", 0, UINT32_MAX));
  options.beyond = gpt2::beyond_context(values["beyond"].as<std::string>(), "--beyond");
  options.sampling.seed = whole_number(values, "seed", 0, UINT64_MAX);
  return options;
}

/// What all heads of a token take on a fitted circuit, as the run did it; nothing for other devices.
std::string energy_text(const Session& session, const gpt2::Device& device, const attention::Activity& activity) {
  if (!device.analog || device.name.starts_with("paper-")) return "";
  constexpr double kfC = 1e-15;
  const auto model = gpt2::read_circuit(device.name, session.device_options);
  const gpt2::Config& config = session.model.config();
  const auto prices = energy::event_prices(model, *device.analog, kfC, {});
  const auto account = energy::make_account(
      model, energy::price_activity(activity, *prices), static_cast<double>(activity.head_tokens),
      static_cast<double>(config.n_embd / config.n_head), static_cast<double>(device.analog->window));
  const double e_token_J = account.total_J() * static_cast<double>(config.n_layer * config.n_head);
  char text[64];
  std::snprintf(text, sizeof text, ", %.4g nJ/token in the attention of all heads", 1e9 * e_token_J);
  return text;
}

}  // namespace

int run_gpt2_generate(const std::vector<std::string>& arguments) {
  po::options_description options("options");
  add_session_options(options, kCircuitTemperature);
  auto add = options.add_options();
  add("device", po::value<std::string>()->default_value("softmax"),
      "softmax, paper-linear, paper-nonlinear or a model.h5");
  add("prompt", po::value<std::string>(), "text to continue; default: the start of a document");
  add("prompt-file", po::value<std::string>(), "file with the text to continue");
  add("tokens", po::value<std::string>()->default_value("50"), "tokens to write at most");
  add("temperature", po::value<std::string>()->default_value("0.8"), "0: always the most likely token");
  add("top-k", po::value<std::string>()->default_value("40"), "choose among the k most likely tokens; 0: all");
  add("beyond", po::value<std::string>()->default_value("stop"),
      "after the checkpoint's context: stop; hold: attend to the newest tokens, positions stay at the last; wrap: the "
      "same, positions begin anew");
  add("seed", po::value<std::string>()->default_value("0"), "repeats the same text");
  const auto values = parse_arguments(kUsage, options, {}, arguments);
  if (!values) return 0;
  const gpt2::GenerateOptions settings = generate_options(*values);
  const std::string prompt = prompt_text(*values);
  const Session session(*values, kUsage, kCircuitTemperature);
  const gpt2::Device device = session.device((*values)["device"].as<std::string>());
  const auto tokens = session.tokenizer.encode(prompt, gpt2::SpecialTokens::parse, "--prompt");
  bool first = true;
  const auto report = generate(session.model, session.tokenizer, device, tokens, settings, [&](std::string_view text) {
    if (first) std::cout << prompt;  // not before the prompt is known to fit
    first = false;
    std::cout << text << std::flush;
  });
  std::cout << std::endl;
  if (report.context_full)
    log_warning("the context of " + std::to_string(session.model.config().n_ctx) + " tokens is full; stopped after " +
                std::to_string(report.tokens.size()));
  const auto count = static_cast<double>(report.tokens.size());
  const std::string energy = energy_text(session, device, report.activity);
  std::fprintf(stderr, "%zu tokens of prompt in %.2f s, %zu new in %.2f s, %.1f tokens/s%s\n", tokens.size(),
               report.prompt_s, report.tokens.size(), report.decode_s, count / std::max(report.decode_s, 1e-9),
               energy.c_str());
  return 0;
}

}  // namespace gaincal::cli
