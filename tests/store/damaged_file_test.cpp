#include <catch2/catch.hpp>
#include <cstdlib>
#include <functional>

#include "core/error.hpp"
#include "core/files.hpp"
#include "reference.hpp"
#include "store/samples.hpp"

using namespace gaincal;
using Catch::Contains;

namespace {

/// What reading says, with the check that HDF5 itself said nothing and that it is one line.
std::string failure_of(const std::function<void()>& read) {
  tests::CapturedStderr captured;
  std::string message = "no failure";
  try {
    read();
  } catch (const Error& failure) {
    message = failure.what();
  }
  CHECK(captured.text().empty());
  CHECK(message.find('\n') == std::string::npos);
  return message;
}

std::string model_failure(const std::filesystem::path& path) {
  return failure_of([&] { store::read_model(path); });
}

/// The same length of bytes, replaced at every place: strings of HDF5 files stand in the clear.
void replace_bytes(const std::filesystem::path& path, const std::string& from, const std::string& to) {
  REQUIRE(from.size() == to.size());
  std::string bytes = read_file(path);
  std::size_t found = 0;
  for (std::size_t at = bytes.find(from); at != std::string::npos; at = bytes.find(from, at + 1), ++found)
    bytes.replace(at, from.size(), to);
  REQUIRE(found > 0);
  write_text(path, bytes);
}

/// Edits a file `f` with a line of h5py. False, with a message, where h5py is absent.
bool edit_with_h5py(const std::filesystem::path& path, const std::string& statement) {
  if (std::system("/usr/bin/python3 -c 'import h5py' 2>/dev/null") != 0) {
    WARN("skipped: /usr/bin/python3 has no h5py; install python3-h5py");
    return false;
  }
  const std::string command =
      "/usr/bin/python3 -c \"import h5py; f = h5py.File('" + path.string() + "', 'r+'); " + statement + "\"";
  REQUIRE(std::system(command.c_str()) == 0);
  return true;
}

}  // namespace

TEST_CASE("a missing file, a folder and a file that is no HDF5 are named", "[store]") {
  const tests::ScratchFolder scratch;
  CHECK_THAT(model_failure(scratch.path() / "model.h5"), Contains("model.h5: no such file") && Contains("gaincal fit"));
  CHECK_THAT(model_failure(scratch.path()), Contains("is a folder"));
  write_text(scratch.path() / "text.h5", "not HDF5 at all");
  CHECK_THAT(model_failure(scratch.path() / "text.h5"), Contains("text.h5: is not an HDF5 file"));
  write_text(scratch.path() / "empty.h5", "");
  CHECK_THAT(model_failure(scratch.path() / "empty.h5"), Contains("empty.h5: is not an HDF5 file"));
}

TEST_CASE("a truncated file is refused wherever it is cut", "[store]") {
  const tests::ScratchFolder scratch;
  const auto path = scratch.path() / "model.h5";
  store::write_model(path, tests::sample_model());
  const std::string bytes = read_file(path);
  for (const double part : {0.001, 0.01, 0.1, 0.5, 0.9, 0.999}) {
    write_text(path, std::string_view(bytes).substr(0, static_cast<std::size_t>(part * bytes.size())));
    CHECK_THAT(model_failure(path), Contains("model.h5: ") && (Contains("truncated") || Contains("not an HDF5")));
  }
}

TEST_CASE("a file of another schema is refused by name", "[store]") {
  const tests::ScratchFolder scratch;
  const auto path = scratch.path() / "dataset.h5";
  store::write_dataset(path, tests::sample_dataset());
  CHECK_THAT(model_failure(path), Contains("dataset.h5: has schema gaincal/dataset where gaincal/model is needed") &&
                                      Contains("gaincal fit"));
  CHECK_THAT(failure_of([&] { store::read_dataset(path, store::kResultsSchema); }),
             Contains("where gaincal/results is needed"));
}

TEST_CASE("an unknown major version is refused by name and a later minor one is read", "[store]") {
  const tests::ScratchFolder scratch;
  const auto path = scratch.path() / "model.h5";
  store::ModelFile file = tests::sample_model();
  store::write_model(path, file);
  if (!edit_with_h5py(path, "f.attrs['schema_version'] = '2.0'")) return;
  CHECK_THAT(model_failure(path), Contains("model.h5: schema gaincal/model has version 2.0") && Contains("reads 1.x"));
  edit_with_h5py(path, "f.attrs['schema_version'] = '1.7'; f['cell/news'] = 3.0; f.create_group('later')");
  CHECK(model_failure(path) == "no failure");
}

TEST_CASE("an HDF5 file of somebody else is refused", "[store]") {
  const tests::ScratchFolder scratch;
  const auto path = scratch.path() / "model.h5";
  store::write_model(path, tests::sample_model());
  if (!edit_with_h5py(path, "del f.attrs['schema']")) return;
  CHECK_THAT(model_failure(path), Contains("model.h5: has no attribute schema"));
}

TEST_CASE("a wrong unit is named with the right one", "[store]") {
  const tests::ScratchFolder scratch;
  const auto path = scratch.path() / "model.h5";
  store::write_model(path, tests::sample_model());
  replace_bytes(path, "s C^-1", "ns/pC ");
  CHECK_THAT(model_failure(path), Contains("model.h5: /readout/score/hard_sigmoid/positive/slope has units 'ns/pC '") &&
                                      Contains("'s C^-1' is needed") && Contains("rerun 'gaincal fit'"));
}

TEST_CASE("a missing dataset, group, unit or attribute is named with its path", "[store]") {
  const tests::ScratchFolder scratch;
  const auto path = scratch.path() / "model.h5";
  const auto failure_after = [&](const std::string& statement) {
    store::write_model(path, tests::sample_model());
    return edit_with_h5py(path, statement) ? model_failure(path) : std::string();
  };
  const std::string first = failure_after("del f['cell/cubic/i_coeff']");
  if (first.empty()) return;
  CHECK_THAT(first, Contains("model.h5: no dataset /cell/cubic/i_coeff (gaincal/model 1.3); rerun 'gaincal fit'"));
  CHECK_THAT(failure_after("del f['readout/output']"), Contains("no group /readout/output"));
  CHECK_THAT(failure_after("del f['leak/exponential/tau'].attrs['units']"),
             Contains("/leak/exponential/tau has units '' where 's' is needed"));
  CHECK_THAT(failure_after("del f.attrs['design_name']"), Contains("no attribute /design_name"));
  CHECK_THAT(failure_after("del f.attrs['seed']"), Contains("no integer attribute /seed"));
}

TEST_CASE("a wrong shape, type or value is named with its path", "[store]") {
  const tests::ScratchFolder scratch;
  const auto path = scratch.path() / "model.h5";
  const auto failure_after = [&](const std::string& statement) {
    store::write_model(path, tests::sample_model());
    return edit_with_h5py(path, statement) ? model_failure(path) : std::string();
  };
  const std::string first = failure_after("del f['write/e_write']; f['write/e_write'] = [1.0, 2.0]");
  if (first.empty()) return;
  CHECK_THAT(first, Contains("/write/e_write has shape (2) where (3) is needed"));
  CHECK_THAT(failure_after("del f['array/rows']; f['array/rows'] = 'many'"),
             Contains("/array/rows holds no floating-point"));
  CHECK_THAT(failure_after("f['array/rows'][()] = 6.5"), Contains("/array/rows is no whole number"));
  CHECK_THAT(failure_after("f['cell/table/current/v_store'][:] = 0.0"),
             Contains("/cell/table/current/v_store is no curve"));
  CHECK_THAT(failure_after("f['cell/table/edge/a_cell'][1] = float('nan')"), Contains("not finite"));
  CHECK_THAT(failure_after("f['phases/origin'][0] = 'guess'"), Contains("/phases/origin is 'guess' and not paper"));
}

TEST_CASE("a table without its axes, outcome or units is refused", "[store]") {
  const tests::ScratchFolder scratch;
  const auto path = scratch.path() / "dataset.h5";
  const auto failure_after = [&](const std::string& statement) {
    store::write_dataset(path, tests::sample_dataset());
    return edit_with_h5py(path, statement) ? failure_of([&] { store::read_dataset(path); }) : std::string();
  };
  const std::string first = failure_after("del f['cell_read/failed']");
  if (first.empty()) return;
  CHECK_THAT(first, Contains("dataset.h5: no dataset /cell_read/failed") && Contains("gaincal sweep"));
  CHECK_THAT(failure_after("del f['cell_read/q_bl'].attrs['units']"), Contains("/cell_read/q_bl has no units"));
  CHECK_THAT(failure_after("del f['cell_read/q_bl']; f['cell_read/q_bl'] = [1.0]; "
                           "f['cell_read/q_bl'].attrs['units'] = 'C'"),
             Contains("/cell_read/q_bl has shape (1) where (3, 2) is needed"));
  CHECK_THAT(failure_after("f['cell_read/failed'].dims[1].detach_scale(f['cell_read/t_pulse'])"),
             Contains("/cell_read/failed has no dimension scale on dimension 1"));
  CHECK_THAT(failure_after("del f['design_toml']"), Contains("no dataset /design_toml"));
}
