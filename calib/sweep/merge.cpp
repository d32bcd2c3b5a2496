#include "sweep/merge.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <unordered_set>

#include "core/error.hpp"
#include "store/table.hpp"

namespace gaincal::sweep {
namespace fs = std::filesystem;

namespace {

/// Takes the columns of each waveform out of the table and makes a table of each; failed points stay NaN there.
std::vector<store::Table> waveform_tables(const SweepJob& job, store::Table& table) {
  std::vector<store::Table> tables;
  for (const WaveformColumns& waveform : job.waveforms) {
    store::Table curve;
    curve.name = table.name + "_" + waveform.quantity.name;
    curve.description = "waveforms of table " + table.name + "; NaN where a point failed";
    curve.axes = table.axes;
    curve.axes.push_back(waveform.grid);
    store::Quantity values = waveform.quantity;
    values.values.resize(curve.points());
    const std::size_t times = waveform.grid.values.size();
    for (std::size_t t = 0; t < times; ++t)
      for (std::size_t point = 0; point < table.points(); ++point)
        values.values[point * times + t] = table.quantities[waveform.first + t].values[point];
    curve.quantities.push_back(std::move(values));
    tables.push_back(std::move(curve));
  }
  for (auto waveform = job.waveforms.rbegin(); waveform != job.waveforms.rend(); ++waveform) {
    const auto first = table.quantities.begin() + static_cast<std::ptrdiff_t>(waveform->first);
    table.quantities.erase(first, first + static_cast<std::ptrdiff_t>(waveform->grid.values.size()));
  }
  return tables;
}

}  // namespace

store::ShardFile read_finished(const SweepJob& job, const fs::path& out, const std::string& name, std::size_t shard) {
  const fs::path path = shard_path(out, name);
  store::ShardFile file = store::read_shard(path, name);
  bool fits = file.points() == job.shards[shard].size() && file.columns.size() == job.columns.size();
  for (std::size_t i = 0; fits && i < file.columns.size(); ++i) fits = file.columns[i] == job.columns[i].name;
  if (!fits) throw Error(path.string() + ": holds other points or columns than its name says; compute it again");
  return file;
}

std::size_t stale_shards(const fs::path& out, const std::vector<std::string>& names) {
  const std::unordered_set<std::string> known(names.begin(), names.end());
  std::size_t stale = 0;
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(out / "shards", ignored))
    stale += entry.path().extension() == ".h5" && !known.contains(entry.path().stem().string()) ? 1 : 0;
  return stale;
}

SweepSummary merge_shards(const SweepJob& job, const SweepOptions& options, const std::vector<std::string>& names) {
  store::Table table;
  table.name = job.name.empty() ? "sweep" : job.name;
  table.description = "sweep by " + job.method;
  table.axes = job.axes;
  const std::size_t points = table.points();
  table.quantities = job.columns;
  table.quantities.push_back({"rung", "1", "step of the retry ladder that succeeded; 0: the plan's own options", {}});
  for (store::Quantity& quantity : table.quantities)
    quantity.values.assign(points, std::numeric_limits<double>::quiet_NaN());
  table.failed.assign(points, 1);
  table.reason.assign(points, "no shard holds this point");

  SweepSummary summary;
  summary.shards = names.size();
  std::string first_reason;
  const std::size_t columns = job.columns.size();
  for (std::size_t shard = 0; shard < names.size(); ++shard) {
    if (!fs::exists(shard_path(options.out, names[shard]))) continue;
    try {
      const store::ShardFile file = read_finished(job, options.out, names[shard], shard);
      summary.add(file, job.shards[shard]);
      ++summary.taken;
      for (std::size_t i = 0; i < file.points(); ++i) {
        const std::size_t point = job.shards[shard][i];
        for (std::size_t c = 0; c < columns; ++c) table.quantities[c].values[point] = file.values[i * columns + c];
        table.quantities[columns].values[point] = file.rung[i];
        table.failed[point] = file.reason[i].empty() ? 0 : 1;
        table.reason[point] = file.reason[i];
      }
    } catch (const Error& failure) {
      ++summary.damaged;
      if (first_reason.empty()) first_reason = failure.what();
    }
  }
  summary.stale = stale_shards(options.out, names);
  if (summary.missing() > 0)
    throw Error(options.out.string() + ": " + std::to_string(summary.missing()) + " of " +
                std::to_string(summary.shards) + " shards are missing" +
                (first_reason.empty() ? "" : " (" + first_reason + ")") +
                "; run 'gaincal sweep' on the plan, or its range again, and merge then");

  store::Dataset dataset;
  dataset.provenance = options.provenance;
  dataset.provenance.netlist_hash = content_hash(job.content);
  dataset.attributes["sweep_name"] = job.name;
  dataset.attributes["sweep_method"] = job.method;
  dataset.design_toml = options.plan_toml;
  std::vector<store::Table> waveforms = waveform_tables(job, table);
  dataset.tables.push_back(std::move(table));
  std::move(waveforms.begin(), waveforms.end(), std::back_inserter(dataset.tables));
  summary.dataset = options.out / "dataset.h5";
  store::write_dataset(*summary.dataset, dataset);
  return summary;
}

}  // namespace gaincal::sweep
