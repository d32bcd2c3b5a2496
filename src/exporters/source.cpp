#include "exporters/source.hpp"

#include <cmath>

#include "core/error.hpp"
#include "core/files.hpp"
#include "core/provenance.hpp"

namespace gaincal::exporters {

Source read_source(const std::filesystem::path& path, const std::string& command_line,
                   const device::ModelChoice& choice) {
  Source source;
  source.path = path;
  source.file = store::read_instance(path, choice);
  source.instance = device::choice_text(choice);
  source.hash = content_hash(read_file(path));
  source.command_line = command_line;
  return source;
}

bool has_exponential_leak(const device::LeakModel& leak) { return std::isfinite(leak.tau_s) && leak.tau_s > 0; }

void require_parts(const Source& source, unsigned parts, std::string_view format) {
  const device::CircuitModel& model = source.file.model;
  const struct {
    unsigned part;
    bool held;
    const char* name;
  } holdings[] = {
      {kCell, !model.cell.i_table_A.empty() && !model.cell.a_table_C.empty(), "cell"},
      {kScoreReadout, !model.score_readout.t_table_s.empty() && !model.score_readout.is_signed, "score readout"},
      {kOutputReadout, !model.output_readout.t_table_s.empty() && model.output_readout.is_signed, "output readout"},
      {kWrite, model.write.v_stored_V.size() >= 2 && model.write.v_target_V.size() == model.write.v_stored_V.size(),
       "write"},
      {kLeak, !model.leak.v_V.empty() && model.leak.v_V.size() == model.leak.v0_V.size() * model.leak.age_s.size(),
       "leak"},
      {kReadEnergy, !model.read_energy.e_edge_J.empty() && !model.read_energy.p_W.empty(), "read energy"},
      {kConversionEnergy, !model.score_readout.e_table_J.empty() && !model.output_readout.e_table_J.empty(),
       "conversion energy"},
  };
  for (const auto& holding : holdings)
    if ((parts & holding.part) != 0 && !holding.held)
      throw Error(source.path.string() + ": holds no " + holding.name + " model, which format '" + std::string(format) +
                  "' needs; fit it with 'gaincal fit' or choose another format");
}

}  // namespace gaincal::exporters
