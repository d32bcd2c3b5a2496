#include "store/hdf5_reader.hpp"

#include <hdf5_hl.h>

#include <cmath>
#include <cstring>

#include "store/schema.hpp"

namespace gaincal::store {
namespace {

std::string shape_text(const GroupReader::Shape& shape) {
  std::string text = "(";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i > 0 ? ", " : "") + std::to_string(shape[i]);
  return text + ")";
}

std::string major(std::string_view version) { return std::string(version.substr(0, version.find('.'))); }

std::string name_of(hid_t object) {
  const ssize_t length = H5Iget_name(object, nullptr, 0);
  std::string name(length > 0 ? static_cast<std::size_t>(length) : 0, '\0');
  if (length > 0) H5Iget_name(object, name.data(), name.size() + 1);
  return name;
}

}  // namespace

Error GroupReader::damaged(const std::string& what) const {
  const std::string version = file_->version.empty() ? "" : " " + file_->version;
  return Error(file_->shown + ": " + what + " (" + file_->schema + version + "); " + remedy(file_->schema));
}

GroupReader GroupReader::open(const std::filesystem::path& path, std::string_view schema) {
  namespace fs = std::filesystem;
  const std::string shown = path.string();
  const std::string again = "; " + remedy(schema);
  std::error_code status;
  if (!fs::exists(path, status)) throw Error(shown + ": no such file; check the path or " + remedy(schema));
  if (fs::is_directory(path, status)) throw Error(shown + ": is a folder; name an HDF5 file");
  if (H5Fis_hdf5(path.c_str()) <= 0)
    throw Error(shown + ": is not an HDF5 file or cannot be read; name a file of schema " + std::string(schema));
  Handle id(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose);
  if (!id.valid()) throw Error(shown + ": is truncated or damaged" + again);
  Handle root(H5Gopen2(id.get(), "/", H5P_DEFAULT), H5Gclose);
  if (!root.valid()) throw Error(shown + ": has no readable root group" + again);
  auto file = std::make_shared<File>(File{shown, std::string(schema), "", std::move(id)});
  GroupReader reader(file, std::move(root), "/");
  if (!reader.has_attribute("schema"))
    throw Error(shown + ": has no attribute schema, so it is no file of gaincal; name a file of schema " +
                std::string(schema));
  const std::string found = reader.text_attribute("schema");
  if (found != schema)
    throw Error(shown + ": has schema " + found + " where " + std::string(schema) +
                " is needed; name another file or " + remedy(schema));
  file->version = reader.text_attribute("schema_version");
  if (major(file->version) != major(kSchemaVersion))
    throw Error(shown + ": schema " + found + " has version " + file->version + " and this program reads " +
                major(kSchemaVersion) + ".x; use the gaincal that wrote it or " + remedy(schema));
  return reader;
}

Provenance GroupReader::provenance() const {
  Provenance result;
  result.tool_version = text_attribute("tool_version");
  result.command_line = text_attribute("command_line");
  result.netlist_hash = text_attribute("netlist_hash");
  result.ngspice_version = text_attribute("ngspice_version");
  const Handle seed(H5Aopen(group_.get(), "seed", H5P_DEFAULT), H5Aclose);
  if (!seed.valid() || H5Aread(seed.get(), H5T_NATIVE_UINT64, &result.seed) < 0)
    throw damaged("no integer attribute /seed");
  return result;
}

GroupReader GroupReader::group(const std::string& name) const {
  Handle id(H5Gopen2(group_.get(), name.c_str(), H5P_DEFAULT), H5Gclose);
  if (!id.valid()) throw damaged("no group " + path_of(name));
  return {file_, std::move(id), path_of(name)};
}

bool GroupReader::has(const std::string& name) const { return H5Lexists(group_.get(), name.c_str(), H5P_DEFAULT) > 0; }

std::vector<std::string> GroupReader::members(H5O_type_t kind) const {
  H5G_info_t info{};
  if (H5Gget_info(group_.get(), &info) < 0) throw damaged("group " + path_ + " cannot be listed");
  // Files rewritten by other tools may have lost the order of creation.
  const Handle creation(H5Gget_create_plist(group_.get()), H5Pclose);
  unsigned order = 0;
  H5Pget_link_creation_order(creation.get(), &order);
  const H5_index_t index = (order & H5P_CRT_ORDER_INDEXED) != 0 ? H5_INDEX_CRT_ORDER : H5_INDEX_NAME;
  std::vector<std::string> names;
  for (hsize_t i = 0; i < info.nlinks; ++i) {
    const ssize_t length = H5Lget_name_by_idx(group_.get(), ".", index, H5_ITER_INC, i, nullptr, 0, H5P_DEFAULT);
    if (length < 0) throw damaged("group " + path_ + " cannot be listed");
    std::string name(static_cast<std::size_t>(length), '\0');
    H5Lget_name_by_idx(group_.get(), ".", index, H5_ITER_INC, i, name.data(), name.size() + 1, H5P_DEFAULT);
    const Handle object(H5Oopen(group_.get(), name.c_str(), H5P_DEFAULT), H5Oclose);
    if (!object.valid()) throw damaged(path_of(name) + " cannot be read");
    const H5I_type_t type = H5Iget_type(object.get());
    if (type == (kind == H5O_TYPE_GROUP ? H5I_GROUP : H5I_DATASET)) names.push_back(std::move(name));
  }
  return names;
}

bool GroupReader::has_attribute(const std::string& name) const { return H5Aexists(group_.get(), name.c_str()) > 0; }

std::vector<std::string> GroupReader::read_texts(const Handle& object, bool is_attribute,
                                                 const std::string& object_path) const {
  const Handle type(is_attribute ? H5Aget_type(object.get()) : H5Dget_type(object.get()), H5Tclose);
  const Handle space(is_attribute ? H5Aget_space(object.get()) : H5Dget_space(object.get()), H5Sclose);
  if (H5Tget_class(type.get()) != H5T_STRING) throw damaged(object_path + " is no text");
  const hssize_t points = H5Sget_simple_extent_npoints(space.get());
  if (points < 0) throw damaged(object_path + " has no shape");
  const auto read = [&](void* buffer) {
    return is_attribute ? H5Aread(object.get(), type.get(), buffer)
                        : H5Dread(object.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, buffer);
  };
  const auto count = static_cast<std::size_t>(points);
  std::vector<std::string> result(count);
  if (H5Tis_variable_str(type.get()) > 0) {
    std::vector<char*> texts(count, nullptr);
    if (read(texts.data()) < 0) throw damaged(object_path + " cannot be read");
    for (std::size_t i = 0; i < count; ++i)
      if (texts[i] != nullptr) result[i] = texts[i];
    H5Dvlen_reclaim(type.get(), space.get(), H5P_DEFAULT, texts.data());
  } else {  // fixed length: what other writers use
    const std::size_t size = H5Tget_size(type.get());
    std::vector<char> bytes(count * size);
    if (read(bytes.data()) < 0) throw damaged(object_path + " cannot be read");
    for (std::size_t i = 0; i < count; ++i) result[i].assign(&bytes[i * size], strnlen(&bytes[i * size], size));
  }
  return result;
}

std::string GroupReader::text_attribute(const std::string& name) const {
  const std::string where = "attribute " + path_of(name);
  const Handle attribute(H5Aopen(group_.get(), name.c_str(), H5P_DEFAULT), H5Aclose);
  if (!attribute.valid()) throw damaged("no " + where);
  const std::vector<std::string> texts = read_texts(attribute, true, where);
  if (texts.size() != 1) throw damaged(where + " is not one text");
  return texts.front();
}

std::map<std::string, std::string> GroupReader::text_attributes() const {
  std::map<std::string, std::string> result;
  const int count = H5Aget_num_attrs(group_.get());
  for (int i = 0; i < count; ++i) {
    const Handle attribute(H5Aopen_by_idx(group_.get(), ".", H5_INDEX_NAME, H5_ITER_INC, static_cast<hsize_t>(i),
                                          H5P_DEFAULT, H5P_DEFAULT),
                           H5Aclose);
    if (!attribute.valid()) throw damaged("attributes of " + path_ + " cannot be read");
    const Handle type(H5Aget_type(attribute.get()), H5Tclose);
    if (H5Tget_class(type.get()) != H5T_STRING) continue;
    const ssize_t length = H5Aget_name(attribute.get(), 0, nullptr);
    std::string name(static_cast<std::size_t>(length), '\0');
    H5Aget_name(attribute.get(), name.size() + 1, name.data());
    result[name] = text_attribute(name);
  }
  return result;
}

Handle GroupReader::dataset(const std::string& name) const {
  if (H5Lexists(group_.get(), name.c_str(), H5P_DEFAULT) <= 0) throw damaged("no dataset " + path_of(name));
  Handle id(H5Dopen2(group_.get(), name.c_str(), H5P_DEFAULT), H5Dclose);
  if (!id.valid()) throw damaged(path_of(name) + " is no readable dataset");
  return id;
}

GroupReader::Shape GroupReader::shape_of(const Handle& dataset) const {
  const Handle space(H5Dget_space(dataset.get()), H5Sclose);
  const int rank = H5Sget_simple_extent_ndims(space.get());
  std::vector<hsize_t> extent(static_cast<std::size_t>(std::max(rank, 0)));
  if (rank > 0) H5Sget_simple_extent_dims(space.get(), extent.data(), nullptr);
  return {extent.begin(), extent.end()};
}

Handle GroupReader::checked_dataset(const std::string& name, H5T_class_t type_class, const Shape& shape) const {
  Handle id = dataset(name);
  const Handle type(H5Dget_type(id.get()), H5Tclose);
  if (H5Tget_class(type.get()) != type_class)
    throw damaged(path_of(name) + " holds no " +
                  (type_class == H5T_FLOAT     ? "floating-point numbers"
                   : type_class == H5T_INTEGER ? "integers"
                                               : "text"));
  const Shape found = shape_of(id);
  if (found != shape)
    throw damaged(path_of(name) + " has shape " + shape_text(found) + " where " + shape_text(shape) + " is needed");
  return id;
}

std::string GroupReader::text(const std::string& name) const {
  return read_texts(checked_dataset(name, H5T_STRING, {}), false, path_of(name)).front();
}

std::vector<double> GroupReader::array(const std::string& name, const Shape& shape) const {
  const Handle id = checked_dataset(name, H5T_FLOAT, shape);
  std::size_t points = 1;
  for (const std::size_t length : shape) points *= length;
  // A damaged shape must not become a huge allocation.
  const Handle creation(H5Dget_create_plist(id.get()), H5Pclose);
  if (H5Pget_layout(creation.get()) == H5D_CONTIGUOUS && H5Dget_storage_size(id.get()) < points)
    throw damaged(path_of(name) + " holds less than its shape says");
  std::vector<double> values(points);
  if (H5Dread(id.get(), H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) < 0)
    throw damaged(path_of(name) + " cannot be read");
  return values;
}

std::vector<double> GroupReader::array(const std::string& name, const std::string& unit, const Shape& shape) const {
  std::vector<double> values = array(name, shape);
  const std::string found = unit_of(name);
  if (found != unit) throw damaged(path_of(name) + " has units '" + found + "' where '" + unit + "' is needed");
  return values;
}

std::vector<double> GroupReader::list(const std::string& name, const std::string& unit) const {
  const Shape shape = shape_of(dataset(name));
  if (shape.size() != 1) throw damaged(path_of(name) + " has shape " + shape_text(shape) + " where a list is needed");
  return array(name, unit, shape);
}

double GroupReader::number(const std::string& name, const std::string& unit) const {
  return array(name, unit, {}).front();
}

std::size_t GroupReader::count(const std::string& name) const {
  const double value = number(name, "1");
  if (!(value >= 0 && value < 9e15 && value == std::floor(value))) throw damaged(path_of(name) + " is no whole number");
  return static_cast<std::size_t>(value);
}

std::vector<std::uint8_t> GroupReader::flags(const std::string& name, const Shape& shape) const {
  const Handle id = checked_dataset(name, H5T_INTEGER, shape);
  std::size_t points = 1;
  for (const std::size_t length : shape) points *= length;
  std::vector<std::uint8_t> values(points);
  if (H5Dread(id.get(), H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) < 0)
    throw damaged(path_of(name) + " cannot be read");
  return values;
}

std::vector<std::string> GroupReader::texts(const std::string& name, const Shape& shape) const {
  return read_texts(checked_dataset(name, H5T_STRING, shape), false, path_of(name));
}

std::string GroupReader::dataset_attribute(const std::string& name, const std::string& attribute_name) const {
  const Handle id = dataset(name);
  if (H5Aexists(id.get(), attribute_name.c_str()) <= 0) return "";
  const std::string where = path_of(name) + " attribute " + attribute_name;
  const Handle attribute(H5Aopen(id.get(), attribute_name.c_str(), H5P_DEFAULT), H5Aclose);
  if (!attribute.valid()) throw damaged(where + " cannot be read");
  const std::vector<std::string> texts = read_texts(attribute, true, where);
  return texts.empty() ? "" : texts.front();
}

std::vector<std::string> GroupReader::labels_of(const std::string& name) const {
  const Handle id = dataset(name);
  if (H5Aexists(id.get(), "labels") <= 0) return {};
  const Handle attribute(H5Aopen(id.get(), "labels", H5P_DEFAULT), H5Aclose);
  if (!attribute.valid()) throw damaged(path_of(name) + " attribute labels cannot be read");
  return read_texts(attribute, true, path_of(name) + " attribute labels");
}

bool GroupReader::is_scale(const std::string& name) const { return H5DSis_scale(dataset(name).get()) > 0; }

std::vector<std::string> GroupReader::scales_of(const std::string& name) const {
  const Handle id = dataset(name);
  std::vector<std::string> names;
  const auto take_name = [](hid_t, unsigned, hid_t scale, void* result) noexcept -> herr_t {
    *static_cast<std::string*>(result) = name_of(scale);
    return 1;  // the first scale of a dimension is the axis
  };
  const std::size_t rank = shape_of(id).size();
  for (std::size_t i = 0; i < rank; ++i) {
    std::string path;
    if (H5DSiterate_scales(id.get(), static_cast<unsigned>(i), nullptr, take_name, &path) < 0 || path.empty())
      throw damaged(path_of(name) + " has no dimension scale on dimension " + std::to_string(i));
    names.push_back(path.substr(path.rfind('/') + 1));
  }
  return names;
}

}  // namespace gaincal::store
