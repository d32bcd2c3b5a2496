#include "cli/gpt2_session.hpp"

#include <algorithm>
#include <charconv>

#include "cli/model_choice.hpp"
#include "core/files.hpp"
#include "core/log.hpp"
#include "core/parallel.hpp"
#include "core/provenance.hpp"
#include "core/units.hpp"

namespace gaincal::cli {
namespace {

constexpr std::uint64_t kLargestWindow = 1u << 20;

attention::TileMap tile_map(const std::string& word) {
  if (word == "ring") return attention::TileMap::ring;
  if (word == "absolute") return attention::TileMap::absolute;
  throw UsageError("--tile-map: '" + word + "' is unknown; choose ring or absolute");
}

gpt2::DeviceOptions read_device_options(const po::variables_map& values, const std::string& temperature) {
  gpt2::DeviceOptions options;
  if (values.count("window") > 0)
    options.window = static_cast<std::size_t>(whole_number(values, "window", 1, kLargestWindow));
  if (values.count("leak") > 0) {
    const double leak = parse_quantity(values["leak"].as<std::string>(), Unit::none, "--leak");
    if (leak < 0.0) throw UsageError("--leak: " + values["leak"].as<std::string>() + " is negative; write 0 or more");
    options.leak_per_token = leak;
  }
  options.tile_map = tile_map(values["tile-map"].as<std::string>());
  options.circuit = model_choice(values, temperature);
  if (values.count("mismatch") > 0) options.mismatch = parse_share(values["mismatch"].as<std::string>(), "--mismatch");
  options.jitter = parse_share(values["jitter"].as<std::string>(), "--jitter");
  if (values.count("residual") > 0) options.residuals = gpt2::read_residuals(values["residual"].as<std::string>());
  options.seed = whole_number(values, "chip-seed", 0, UINT64_MAX);
  return options;
}

gpt2::Tokenizer read_tokenizer(const gpt2::Model& model, const std::filesystem::path& folder) {
  auto tokenizer = gpt2::Tokenizer::of_checkpoint(folder);
  model.check_tokenizer(tokenizer);
  return tokenizer;
}

/// The path of an option's text, which may stand after NAME=.
std::filesystem::path path_in(const std::string& text) {
  const std::size_t equals = text.find('=');
  return equals == std::string::npos ? text : text.substr(equals + 1);
}

/// Size and time of a file, or of what lies in a folder.
void add_file(const std::filesystem::path& path, std::string& identity) {
  std::error_code status;
  if (std::filesystem::is_regular_file(path, status)) {
    const auto time = std::filesystem::last_write_time(path, status).time_since_epoch().count();
    identity += std::to_string(std::filesystem::file_size(path, status)) + " " + std::to_string(time) + "\n";
    return;
  }
  for (const char* name : {"config.json", "model.safetensors", "vocab.json", "merges.txt"})
    if (std::filesystem::is_directory(path, status)) add_file(path / name, identity);
}

/// Hash of all that the numbers depend on: the options, and the files that they name.
std::string identity_of(const po::variables_map& values) {
  std::string identity = std::string(tool_version()) + "\n";
  for (const auto& [name, value] : values) {
    if (name == "threads" || name == "out" || name == "force") continue;
    std::vector<std::string> texts;
    if (const auto* text = boost::any_cast<std::string>(&value.value())) texts = {*text};
    if (const auto* list = boost::any_cast<std::vector<std::string>>(&value.value())) texts = *list;
    for (const std::string& text : texts) {
      identity.append(name).append("=").append(text).append("\n");
      add_file(path_in(text), identity);
    }
    if (texts.empty()) identity += name + "\n";
  }
  return content_hash(identity);
}

}  // namespace

void add_session_options(po::options_description& options, const std::string& temperature) {
  auto add = options.add_options();
  add("model", po::value<std::string>(), "checkpoint folder: config.json, model.safetensors, vocab.json, merges.txt");
  add("window", po::value<std::string>(), "tokens that the arrays hold; default: the checkpoint's context");
  add("leak", po::value<std::string>(),
      "decay of a stored voltage per token; default: the checkpoint's or 1.6e-4, of a model.h5 as fitted");
  add("mismatch", po::value<std::string>(),
      "relative sigma of the cells' charges, 0 to 1, in place of all mismatch of a model.h5; default: as --chip says");
  add("jitter", po::value<std::string>()->default_value("0"), "sigma of each pulse, of the longest pulse, 0 to 1");
  add("residual", po::value<std::string>(),
      "file of 'gaincal verify': what SPICE gave beside the models is added to pulses, one drawn for each");
  add("chip-seed", po::value<std::string>()->default_value("0"), "of the chips, the jitter and the residuals");
  add("tile-map", po::value<std::string>()->default_value("ring"), "column of a token: ring or absolute");
  add_model_options(options, temperature);
}

void add_text_options(po::options_description& options) {
  auto add = options.add_options();
  add("text", po::value<std::string>(), "text file, UTF-8; <|endoftext|> stands between documents");
  add("context", po::value<std::string>(), "tokens of one pass; default: the checkpoint's context");
  add("stride", po::value<std::string>(), "tokens from one pass to the next; default: --context, no overlap");
  add("max-windows", po::value<std::string>(), "only the first passes of the text");
}

std::uint64_t whole_number(const po::variables_map& values, const std::string& name, std::uint64_t smallest,
                           std::uint64_t largest) {
  const std::string text = values[name].as<std::string>();
  std::uint64_t number = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (status != std::errc() || end != text.data() + text.size() || number < smallest || number > largest)
    throw UsageError("--" + name + ": '" + text + "' does not fit; write a whole number from " +
                     std::to_string(smallest) + " to " + std::to_string(largest));
  return number;
}

unsigned thread_count(const po::variables_map& values) {
  const unsigned available = available_threads();
  if (values.count("threads") == 0) return available;
  const auto threads = static_cast<unsigned>(whole_number(values, "threads", 1, 4096));
  if (threads > available)
    log_warning("--threads " + std::to_string(threads) + " is more than this machine's " + std::to_string(available) +
                "; it will not be faster");
  return threads;
}

void add_devices_option(po::options_description& options) {
  options.add_options()("device", po::value<std::vector<std::string>>()->composing(),
                        "softmax, paper-linear, paper-nonlinear or a model.h5; may be given several times; default: "
                        "softmax");
}

void add_output_options(po::options_description& options) {
  auto add = options.add_options();
  add("threads", po::value<std::string>(), "threads; default: all of the machine");
  add("out", po::value<std::string>(),
      "results file (HDF5); the losses so far stand beside it in OUT.part, from which the same command goes on");
  add("force", "overwrite --out, and what another run left beside it");
}

Output::Output(const po::variables_map& values) {
  if (values.count("out") == 0) return;
  path_ = values["out"].as<std::string>();
  const bool force = values.count("force") > 0;
  refuse_overwrite(path_, force);
  if (path_.has_parent_path() && !std::filesystem::is_directory(path_.parent_path()))
    throw UsageError(path_.string() + ": the folder does not exist; create it");
  journal_.emplace(path_.string() + ".part", identity_of(values), force);
  if (journal_->found() > 0)
    log_info(path_.string() + ".part: " + std::to_string(journal_->found()) + " windows are done already");
}

void Output::write(const store::Dataset& dataset) {
  if (path_.empty()) return;
  store::write_dataset(path_, dataset);
  journal_->remove();
}

store::Axis counted_axis(const char* name, std::size_t count, const char* description) {
  store::Axis axis{name, "1", {}, {}, description};
  for (std::size_t i = 0; i < count; ++i) axis.values.push_back(static_cast<double>(i));
  return axis;
}

store::Dataset new_results() {
  store::Dataset dataset;
  dataset.schema = store::kResultsSchema;
  dataset.provenance.command_line = command_line();
  return dataset;
}

std::vector<gpt2::Device> Session::devices(const po::variables_map& values) const {
  std::vector<std::string> choices = {"softmax"};
  if (values.count("device") > 0) choices = values["device"].as<std::vector<std::string>>();
  std::vector<gpt2::Device> devices;
  for (const std::string& choice : choices) devices.push_back(device(choice));
  return devices;
}

Session::Session(const po::variables_map& values, const std::string& usage, const std::string& temperature)
    : folder(required<std::string>(values, "model", usage)),
      model(gpt2::Model::load(folder)),
      tokenizer(read_tokenizer(model, folder)),
      device_options(read_device_options(values, temperature)) {
  device_options.threads = values.count("threads") > 0 ? static_cast<unsigned>(whole_number(values, "threads", 1, 4096))
                                                       : available_threads();
}

Text::Text(const po::variables_map& values, const Session& session, const std::string& usage) {
  const auto path = required<std::string>(values, "text", usage);
  tokens = session.tokenizer.encode(read_file(path), gpt2::SpecialTokens::parse, path);
  if (tokens.size() < 2)
    throw UsageError(path + ": has " + std::to_string(tokens.size()) +
                     " tokens, nothing can be predicted; give a longer text");
  std::size_t context = session.model.config().n_ctx;
  if (values.count("context") > 0) context = static_cast<std::size_t>(whole_number(values, "context", 1, context));
  std::size_t stride = context;
  if (values.count("stride") > 0) stride = static_cast<std::size_t>(whole_number(values, "stride", 1, context));
  windows = gpt2::split_text(tokens, context, stride);
  if (values.count("max-windows") > 0)
    windows.resize(
        std::min(windows.size(), static_cast<std::size_t>(whole_number(values, "max-windows", 1, UINT64_MAX))));
}

}  // namespace gaincal::cli
