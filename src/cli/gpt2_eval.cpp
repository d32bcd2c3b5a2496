#include <algorithm>
#include <cstdio>
#include <iomanip>
#include <sstream>

#include "cli/gpt2_session.hpp"
#include "core/files.hpp"
#include "core/parallel.hpp"
#include "gpt2/capture.hpp"
#include "store/model_file.hpp"

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
  std::printf("%-*s  %10s  %8s  %10s  %21s  %7s  %8s  %7s\n", static_cast<int>(width), "device", "perplexity", "+-",
              "nat/token", "nat/token - first", "windows", "tokens", "s");
  for (const auto& [device, p] : results) {
    std::size_t tokens = 0;
    for (const auto& window : p.windows) tokens += window.tokens;
    char difference[64] = "-";
    if (&p != &results.front().perplexity) {
      const gpt2::Estimate paired = gpt2::loss_difference(p.windows, results.front().perplexity.windows);
      std::snprintf(difference, sizeof difference, "%+.5f +- %.5f", paired.value, paired.standard_error);
    }
    std::printf("%-*s  %10.3f  %8.3f  %10.5f  %21s  %7zu  %8zu  %7.1f\n", static_cast<int>(width), device.c_str(),
                p.perplexity, p.standard_error, p.mean_nll, difference, p.windows.size(), tokens, p.seconds);
  }
  std::printf(
      "+-: one standard error, from the spread between windows; '- first': against the first device, paired.\n");
}

store::Dataset as_dataset(const std::vector<DeviceResult>& results) {
  store::Dataset dataset = new_results();
  store::Axis devices{"device", "1", {}, {}, "what computed the attention"};
  const store::Axis windows =
      counted_axis("window", results.front().perplexity.windows.size(), "passes over the text, in order");
  store::Quantity perplexity{"perplexity", "1", "exp(nll)", {}};
  store::Quantity error{"standard_error", "1", "of the perplexity, from the spread between windows", {}};
  store::Quantity mean{"nll", "1", "mean negative log-likelihood in nat per token", {}};
  store::Quantity difference{"difference", "1", "mean loss minus the first device's on the same windows", {}};
  store::Quantity difference_error{"difference_error", "1", "standard error of the difference", {}};
  store::Quantity window_nll{"nll", "1", "mean negative log-likelihood in nat per token", {}};
  store::Quantity window_tokens{"tokens", "1", "tokens predicted", {}};
  for (const auto& [device, p] : results) {
    devices.values.push_back(static_cast<double>(devices.values.size()));
    devices.labels.push_back(device);
    perplexity.values.push_back(p.perplexity);
    error.values.push_back(p.standard_error);
    mean.values.push_back(p.mean_nll);
    const gpt2::Estimate paired = gpt2::loss_difference(p.windows, results.front().perplexity.windows);
    difference.values.push_back(paired.value);
    difference_error.values.push_back(paired.standard_error);
    for (const auto& window : p.windows) {
      window_nll.values.push_back(window.mean());
      window_tokens.values.push_back(static_cast<double>(window.tokens));
    }
  }
  dataset.tables = {{"perplexity",
                     "perplexity of the text per device",
                     {devices},
                     {perplexity, error, mean, difference, difference_error},
                     {},
                     {}},
                    {"windows", "loss of each pass", {devices, windows}, {window_nll, window_tokens}, {}, {}}};
  return dataset;
}

/// Devices at once, each with the whole text as one stream.
std::vector<DeviceResult> evaluate_stream(const Session& session, const std::vector<gpt2::Device>& devices,
                                          const std::string& beyond, const Text& text, unsigned threads,
                                          gpt2::LossJournal* journal) {
  const gpt2::BeyondContext positions = gpt2::beyond_context(beyond, "--sliding");
  if (positions == gpt2::BeyondContext::refuse) throw UsageError("--sliding: choose hold or wrap");
  std::vector<DeviceResult> results(devices.size());
  parallel_for(devices.size(), threads, [&](std::size_t d) {
    gpt2::EvaluateOptions evaluate;
    evaluate.count_activity = false;
    if (d == 0) evaluate.progress = devices[d].name;
    evaluate.part = devices[d].name;
    evaluate.journal = journal;
    results[d] = {devices[d].name, evaluate_sliding(session.model, devices[d], text.tokens, positions, evaluate)};
  });
  return results;
}

/// `--capture`: operands of a run on one circuit, written to a file of their own.
class CaptureFile {
 public:
  CaptureFile(const po::variables_map& values, const Session& session, const std::vector<gpt2::Device>& devices,
              const Text& text)
      : path_(required<std::string>(values, "capture-out", kUsage)) {
    refuse_overwrite(path_, values.count("force") > 0);
    if (devices.size() != 1 || gpt2::circuit_path(devices.front().name).extension() != ".h5")
      throw UsageError("--capture: give one --device, a model.h5");
    const store::ModelFile model = store::read_model(gpt2::circuit_path(devices.front().name));
    file_ = new_results();
    file_.provenance.netlist_hash = model.provenance.netlist_hash;
    file_.provenance.seed = whole_number(values, "capture-seed", 0, UINT64_MAX);
    std::ostringstream t_token_s;
    t_token_s << std::setprecision(17) << static_cast<double>(session.model.config().n_layer) * model.model.t_token_s;
    file_.attributes = {{"design_name", model.model.design_name}, {"t_token_s", t_token_s.str()}};
    std::vector<gpt2::CaptureWhere> where;
    for (const std::string& words : values["capture"].as<std::vector<std::string>>())
      where.push_back(gpt2::parse_capture(words, session.model.config(), "--capture"));
    std::vector<std::size_t> lengths;
    for (const gpt2::TextWindow& window : text.windows) lengths.push_back(window.tokens.size() - 1);
    capture_.emplace(session.model, devices.front(), lengths, where,
                     static_cast<std::size_t>(whole_number(values, "capture-count", 1, 1u << 20)),
                     file_.provenance.seed);
  }
  gpt2::Capture& capture() { return *capture_; }
  void write() {
    file_.tables = capture_->tables();
    store::write_dataset(path_, file_);
    std::printf("%zu operand sets in %s\n", capture_->size(), path_.c_str());
  }

 private:
  std::filesystem::path path_;
  store::Dataset file_;
  std::optional<gpt2::Capture> capture_;
};

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
  options.add_options()("capture", po::value<std::vector<std::string>>()->composing(),
                        "LAYER,HEAD,TOKEN, each a number or *: keep operands of sub-tiles for 'gaincal verify'; may be "
                        "given several times")("capture-out", po::value<std::string>(),
                                               "file of the captured operands (HDF5)")(
      "capture-count", po::value<std::string>()->default_value("200"), "operand sets at most, spread evenly")(
      "capture-seed", po::value<std::string>()->default_value("1"), "of their choice");
  const auto values = parse_arguments(kUsage, options, {}, arguments);
  if (!values) return 0;
  const bool sliding = values->count("sliding") > 0;
  for (const char* name : {"context", "stride", "max-windows", "capture"})
    if (sliding && values->count(name) > 0)
      throw UsageError(std::string("--sliding and --") + name + " exclude each other; give one");
  const unsigned threads = thread_count(*values);
  const Session session(*values, kUsage);
  const auto devices = session.devices(*values);
  const Text text(*values, session, kUsage);
  std::optional<CaptureFile> capture;
  if (values->count("capture") > 0) capture.emplace(*values, session, devices, text);
  Output output(*values);
  std::vector<DeviceResult> results;
  if (sliding) {
    results =
        evaluate_stream(session, devices, (*values)["sliding"].as<std::string>(), text, threads, output.journal());
  } else {
    for (const gpt2::Device& device : devices) {
      gpt2::EvaluateOptions evaluate;
      evaluate.threads = threads;
      evaluate.count_activity = false;
      evaluate.progress = evaluate.part = device.name;
      evaluate.journal = output.journal();
      if (capture) {
        evaluate.journal = nullptr;  // every window is computed, to be seen
        evaluate.on_head = [&](std::size_t window, const gpt2::HeadSignals& signals) {
          capture->capture().see(window, signals);
        };
      }
      results.push_back({device.name, evaluate_perplexity(session.model, device, text.windows, evaluate)});
    }
  }
  print_table(results);
  output.write(as_dataset(results));
  if (capture) capture->write();
  return 0;
}

}  // namespace gaincal::cli
