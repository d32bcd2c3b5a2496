#include "store/model_file.hpp"

#include "core/error.hpp"
#include "core/files.hpp"
#include "core/log.hpp"
#include "store/model_circuit.hpp"
#include "store/model_conditions.hpp"
#include "store/model_forms.hpp"
#include "store/schema.hpp"

namespace gaincal::store {

void write_model(const std::filesystem::path& path, const ModelFile& file) {
  const SilentHdf5 silent;
  write_atomically(path, [&](const std::filesystem::path& temporary) {
    const GroupWriter root = GroupWriter::create(temporary, path.string(), kModelSchema, file.provenance);
    root.text_attribute("design_name", file.model.design_name);
    root.text_attribute("technology_name", file.model.technology_name);
    root.text("design_toml", file.design_toml, "the design file as used");
    write_circuit(root, file.model);
    write_facts(root, file.model);
    write_forms(root, file.model.forms);
    write_conditions(root, file.conditions);
    root.flush();
  });
}

ModelFile read_model(const std::filesystem::path& path) {
  const SilentHdf5 silent;
  const GroupReader root = GroupReader::open(path, kModelSchema);
  ModelFile file;
  file.provenance = root.provenance();
  file.model.design_name = root.text_attribute("design_name");
  file.model.technology_name = root.text_attribute("technology_name");
  if (root.has("design_toml")) file.design_toml = root.text("design_toml");  // schema 1.3
  read_circuit(root, file.model);
  read_facts(root, file.model);
  file.model.forms = read_forms(root);
  file.conditions = read_conditions(root, file.model);
  return file;
}

ModelFile read_instance(const std::filesystem::path& path, const device::ModelChoice& choice) {
  ModelFile file = read_model(path);
  device::RangeGuard guard(choice.strict);
  try {
    file.model = device::instance_of(file.model, file.conditions, choice, guard);
  } catch (const Error& failure) {
    throw Error(path.string() + ": " + failure.what(), failure.exit_code());
  }
  if (guard.clamped() > 0) log_warning(path.string() + ": " + guard.summary());
  return file;
}

}  // namespace gaincal::store
