#pragma once

// Private to src/store.
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"
#include "core/provenance.hpp"
#include "store/hdf5_handle.hpp"

namespace gaincal::store {

/// A group of a file being read. Every member throws Error naming the file, the object and the remedy when the object
/// is missing, has another type, shape or unit than asked for, or cannot be read.
class GroupReader {
 public:
  using Shape = std::vector<std::size_t>;

  /// Root group of an existing file of this schema and a known major version.
  static GroupReader open(const std::filesystem::path& path, std::string_view schema);

  Provenance provenance() const;

  GroupReader group(const std::string& name) const;
  /// A group or dataset directly below.
  bool has(const std::string& name) const;
  /// Names of the groups / datasets directly below, in the order in which they were written.
  std::vector<std::string> group_names() const { return members(H5O_TYPE_GROUP); }
  std::vector<std::string> dataset_names() const { return members(H5O_TYPE_DATASET); }

  bool has_attribute(const std::string& name) const;
  std::string text_attribute(const std::string& name) const;
  /// Every text attribute of this group by name.
  std::map<std::string, std::string> text_attributes() const;

  std::string text(const std::string& name) const;
  double number(const std::string& name, const std::string& unit) const;
  std::size_t count(const std::string& name) const;  ///< a number that must be a whole one >= 0, unit "1"
  /// One-dimensional, of any length.
  std::vector<double> list(const std::string& name, const std::string& unit) const;
  std::vector<double> array(const std::string& name, const std::string& unit, const Shape& shape) const;
  std::vector<double> array(const std::string& name, const Shape& shape) const;  ///< of any unit
  std::vector<std::uint8_t> flags(const std::string& name, const Shape& shape) const;
  std::vector<std::string> texts(const std::string& name, const Shape& shape) const;

  /// Attributes of a dataset; "" where it has none.
  std::string unit_of(const std::string& name) const { return dataset_attribute(name, "units"); }
  std::string description_of(const std::string& name) const { return dataset_attribute(name, "description"); }
  std::vector<std::string> labels_of(const std::string& name) const;
  /// Names of the scales on the dimensions of a dataset, in this group.
  std::vector<std::string> scales_of(const std::string& name) const;
  bool is_scale(const std::string& name) const;

  /// `model.h5: <what> (gaincal/model 1.0); rerun 'gaincal fit'`
  Error damaged(const std::string& what) const;
  std::string path_of(const std::string& name) const { return path_ + (path_ == "/" ? "" : "/") + name; }

 private:
  struct File {
    std::string shown;
    std::string schema;
    std::string version;
    Handle id;
  };

  GroupReader(std::shared_ptr<File> file, Handle group, std::string path)
      : file_(std::move(file)), group_(std::move(group)), path_(std::move(path)) {}

  std::vector<std::string> members(H5O_type_t kind) const;
  Handle dataset(const std::string& name) const;
  Handle checked_dataset(const std::string& name, H5T_class_t type, const Shape& shape) const;
  Shape shape_of(const Handle& dataset) const;
  std::string dataset_attribute(const std::string& name, const std::string& attribute) const;
  std::vector<std::string> read_texts(const Handle& object, bool is_attribute, const std::string& object_path) const;

  std::shared_ptr<File> file_;  // closed after its last group
  Handle group_;
  std::string path_;
};

}  // namespace gaincal::store
