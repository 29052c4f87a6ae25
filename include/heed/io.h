// Files of tensors: safetensors, npy and npz.
//
//   heed::TensorFile model{.tensors = {{"weight", heed::Tensor::full({2, 3}, 0.5)}, {"bias", heed::tensor({1, 2})}},
//                          .metadata = {{"made by", "an example"}}};
//   heed::save_safetensors("model.safetensors", model);      // whole or not at all, whatever happens meanwhile
//   heed::TensorFile back = heed::load_safetensors("model.safetensors");
//   std::cout << back["bias"] << '\n';                        // [1, 2]
//   heed::save_npy("weight.npy", back["weight"]);
//
// Loading maps the file where that is possible: a tensor's elements are read when they are first used, and writing to
// them changes the tensor but not the file. A file that somebody else shortens in place while it is mapped cannot be
// read any more (the system ends the program); heed's own save functions replace files and never do that.
//
// Saving writes beside the file, flushes to the disk and renames: killed or out of space at any moment, the file is the
// old one or the new one. Errors: format for a file that breaks its rules (the text names file, tensor and rule),
// data for content that tensors cannot hold, system for everything that the operating system refuses.
#pragma once

#include <heed/tensor.h>

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace heed {

struct TensorFile {
  std::vector<std::pair<std::string, Tensor>> tensors;  // in the order of the file's list
  std::map<std::string, std::string> metadata = {};     // safetensors only
  std::vector<std::string> others = {};                 // npz only: members that no tensor holds

  bool contains(std::string_view name) const;
  const Tensor& operator[](std::string_view name) const;  // Error(data) where there is none
};

struct LoadOptions {
  bool map = true;                        // false: copy the file into memory at once
  int64_t most_bytes = int64_t{1} << 36;  // npz: what all arrays together may unpack to
};

// A tensor of a safetensors file as its header describes it, whether or not heed's tensors have such a dtype.
struct TensorEntry {
  std::string name;
  std::string dtype;           // as the file has it: "F8_E4M3"
  std::vector<int64_t> shape;  // of any rank
  int64_t begin = 0, end = 0;  // bytes after the header
};

// A safetensors file of which tensors are taken one by one.
class SafetensorsReader {
 public:
  explicit SafetensorsReader(const std::string& path, const LoadOptions& options = {});
  ~SafetensorsReader();
  SafetensorsReader(SafetensorsReader&&) noexcept;
  SafetensorsReader& operator=(SafetensorsReader&&) noexcept;

  const std::vector<TensorEntry>& entries() const;
  const std::map<std::string, std::string>& metadata() const;
  // A dtype that tensors lack becomes the smallest that holds all its values: I8, I16, U16 -> i32; U32, U64 -> i64;
  // the 8-bit floats -> f32. Error(data) for F4, F6 and C64, and for a U64 beyond i64.
  Tensor tensor(const TensorEntry& entry) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

TensorFile load_safetensors(const std::string& path, const LoadOptions& options = {});
void save_safetensors(const std::string& path, const TensorFile& content);

// NumPy's array files. Reading: versions 1 to 3, either byte order, rows or columns first; integers and floats of other
// widths as for safetensors; objects, strings, dates, records and complex numbers are refused. Writing: rows first,
// little endian; bf16, which NumPy lacks, as f32.
Tensor load_npy(const std::string& path, const LoadOptions& options = {});
void save_npy(const std::string& path, const Tensor& tensor);

// Zip archives of npy files; names are without ".npy". As for NumPy, other files may be among them (a README, say):
// they, and arrays of what tensors cannot hold, are named in `others` and not saved again.
TensorFile load_npz(const std::string& path, const LoadOptions& options = {});
struct NpzOptions {
  bool compress = false;
};
void save_npz(const std::string& path, const TensorFile& content, const NpzOptions& options = {});

}  // namespace heed
