#include "cli/gpt2_session.hpp"

#include <algorithm>
#include <charconv>

#include "cli/model_choice.hpp"
#include "core/files.hpp"
#include "core/log.hpp"
#include "core/parallel.hpp"
#include "core/units.hpp"

namespace gaincal::cli {
namespace {

constexpr std::uint64_t kLargestWindow = 1u << 20;

attention::TileMap tile_map(const std::string& word) {
  if (word == "ring") return attention::TileMap::ring;
  if (word == "absolute") return attention::TileMap::absolute;
  throw UsageError("--tile-map: '" + word + "' is unknown; choose ring or absolute");
}

gpt2::DeviceOptions read_device_options(const po::variables_map& values) {
  gpt2::DeviceOptions options;
  if (values.count("window") > 0)
    options.window = static_cast<std::size_t>(whole_number(values, "window", 1, kLargestWindow));
  if (values.count("leak") > 0) {
    const double leak = parse_quantity(values["leak"].as<std::string>(), Unit::none, "--leak");
    if (leak < 0.0) throw UsageError("--leak: " + values["leak"].as<std::string>() + " is negative; write 0 or more");
    options.leak_per_token = leak;
  }
  options.tile_map = tile_map(values["tile-map"].as<std::string>());
  options.circuit = model_choice(values);
  return options;
}

gpt2::Tokenizer read_tokenizer(const gpt2::Model& model, const std::filesystem::path& folder) {
  auto tokenizer = gpt2::Tokenizer::of_checkpoint(folder);
  model.check_tokenizer(tokenizer);
  return tokenizer;
}

}  // namespace

void add_session_options(po::options_description& options) {
  auto add = options.add_options();
  add("model", po::value<std::string>(), "checkpoint folder: config.json, model.safetensors, vocab.json, merges.txt");
  add("window", po::value<std::string>(), "tokens that the arrays hold; default: the checkpoint's context");
  add("leak", po::value<std::string>(), "decay per token of the paper devices; default: the checkpoint's, or 1.6e-4");
  add("tile-map", po::value<std::string>()->default_value("ring"), "column of a token: ring or absolute");
  add_model_options(options);
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

void check_output(const po::variables_map& values) {
  if (values.count("out") == 0) return;
  const std::filesystem::path out = values["out"].as<std::string>();
  refuse_overwrite(out, values.count("force") > 0);
  if (out.has_parent_path() && !std::filesystem::is_directory(out.parent_path()))
    throw UsageError(out.string() + ": the folder does not exist; create it");
}

std::vector<gpt2::Device> Session::devices(const po::variables_map& values) const {
  std::vector<std::string> choices = {"softmax"};
  if (values.count("device") > 0) choices = values["device"].as<std::vector<std::string>>();
  std::vector<gpt2::Device> devices;
  for (const std::string& choice : choices) devices.push_back(device(choice));
  return devices;
}

Session::Session(const po::variables_map& values, const std::string& usage)
    : folder(required<std::string>(values, "model", usage)),
      model(gpt2::Model::load(folder)),
      tokenizer(read_tokenizer(model, folder)),
      device_options(read_device_options(values)) {}

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
