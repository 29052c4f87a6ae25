# cmake -DFOLDER=web -DOUT=web_files.cc -P cmake/embed.cmake: a source that holds the text of every file of a folder.
file(GLOB files ${FOLDER}/*)
set(rows "")
foreach(file ${files})
  cmake_path(GET file FILENAME name)
  file(READ ${file} text)
  string(APPEND rows "    {\"${name}\", R\"heed_web(${text})heed_web\"},\n")
endforeach()
file(WRITE ${OUT} "#include \"explain/web_files.h\"

namespace heed::explain {
namespace {
constexpr WebFile kFiles[] = {
${rows}};
}
std::span<const WebFile> web_files() { return kFiles; }
}  // namespace heed::explain
")
