// Holds the tree against the layer table of src/README.md and the rules that go with it.
#include <filesystem>
#include <fstream>
#include <sstream>

namespace arus {
namespace {

const std::filesystem::path source = std::filesystem::path(ARUS_SOURCE_DIR) / "src";

std::string contents(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// Folder → its place in the table, from the top.
std::map<std::string, std::size_t> layers() {
  std::map<std::string, std::size_t> places;
  std::istringstream table(contents(source / "README.md"));
  for (std::string line; std::getline(table, line);) {
    if (!line.starts_with("| `")) continue;
    const std::size_t end = line.find("/`");
    if (end != std::string::npos) places.emplace(line.substr(3, end - 3), places.size());
  }
  return places;
}

struct SourceFile {
  std::string path;   // from src/
  std::string layer;  // its first folder
  std::vector<std::string> lines;
};

std::vector<SourceFile> all_files() {
  std::vector<SourceFile> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(source)) {
    const std::string kind = entry.path().extension();
    if (!entry.is_regular_file() || (kind != ".h" && kind != ".cc")) continue;
    SourceFile file;
    file.path = entry.path().lexically_relative(source).string();
    file.layer = file.path.substr(0, file.path.find('/'));
    std::istringstream text(contents(entry.path()));
    for (std::string line; std::getline(text, line);) file.lines.push_back(line);
    files.push_back(std::move(file));
  }
  std::ranges::sort(files, {}, &SourceFile::path);
  return files;
}

bool is_include_of_ours(const std::string& line) { return line.starts_with("#include \""); }

// What a line includes, between quotes or angle brackets; empty for other lines.
std::string included(const std::string& line) {
  constexpr std::string_view directive = "#include ";
  if (!line.starts_with(directive)) return {};
  const std::size_t end = line.find_last_of("\">");
  const std::size_t from = directive.size() + 1;
  return end > from ? line.substr(from, end - from) : std::string();
}

// Code without comments and text in quotes, so that words in them do not count.
std::string code_of(const std::string& line) {
  std::string code;
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\\' && quoted) {
      ++i;
    } else if (line[i] == '"') {
      quoted = !quoted;
    } else if (!quoted && line.compare(i, 2, "//") == 0) {
      break;
    } else if (!quoted) {
      code += line[i];
    }
  }
  return code;
}

bool is_test(const std::string& path) {
  return path.ends_with("_test.cc") || path.ends_with("_bench.cc") || path.ends_with("_fuzz.cc");
}

TEST(Layers, TheTableNamesEveryFolderWithSources) {
  const auto places = layers();
  ASSERT_GE(places.size(), 10U);
  for (const SourceFile& file : all_files()) {
    EXPECT_TRUE(places.contains(file.layer)) << file.path << " lies in no layer of src/README.md";
  }
}

TEST(Layers, AFileIncludesOnlyLayersAboveItsOwn) {
  const auto places = layers();
  for (const SourceFile& file : all_files()) {
    if (!places.contains(file.layer)) continue;
    for (const std::string& line : file.lines) {
      if (!is_include_of_ours(line)) continue;
      const std::string name = included(line);
      const std::string folder = name.substr(0, name.find('/'));
      const auto other = places.find(folder);
      if (other == places.end()) continue;  // generated, or wrong anyway
      EXPECT_LE(other->second, places.at(file.layer))
          << file.path << " includes " << name << ", which lies below it";
    }
  }
}

TEST(Layers, QuotedIncludesAreWrittenFromTheTop) {
  for (const SourceFile& file : all_files()) {
    for (const std::string& line : file.lines) {
      if (!is_include_of_ours(line)) continue;
      EXPECT_TRUE(included(line).contains('/')) << file.path << ": " << line;
    }
  }
}

TEST(Layers, OnlyTheEnvironmentKnowsAsio) {
  for (const SourceFile& file : all_files()) {
    if (file.layer == "env") continue;
    for (const std::string& line : file.lines) {
      const std::string name = included(line);
      EXPECT_FALSE(name.starts_with("boost/asio")) << file.path << " includes " << name;
      const bool beast = name.starts_with("boost/beast") && file.layer != "http";
      EXPECT_FALSE(beast) << file.path << " includes " << name;
    }
  }
}

// What makes a run differ from the one before it belongs to the environment. The process's log and
// its metrics are allowed their locks and counters: nothing in the program depends on them.
TEST(Layers, ThreadsAtomicsAndClocksStayInTheEnvironment) {
  const std::vector<std::string> banned{
      "thread_local",  "std::thread",  "std::jthread", "std::atomic",
      "std::mutex",    "system_clock", "steady_clock", "high_resolution_clock",
      "clock_gettime", "gettimeofday", "std::time(",   "random_device"};
  for (const SourceFile& file : all_files()) {
    const bool allowed = file.layer == "env" || file.layer == "metrics" ||
                         file.path.starts_with("base/log") || is_test(file.path);
    if (allowed) continue;
    for (const std::string& line : file.lines) {
      const std::string code = code_of(line);
      for (const std::string& word : banned) {
        EXPECT_FALSE(code.contains(word)) << file.path << " uses " << word;
      }
    }
  }
}

TEST(Layers, FilesAndLinesStaySmall) {
  for (const SourceFile& file : all_files()) {
    EXPECT_LE(file.lines.size(), 800U) << file.path;
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      // Counted in characters: bytes that continue one are left out.
      const auto length = std::ranges::count_if(
          file.lines[i], [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80; });
      EXPECT_LE(length, 100) << file.path << ":" << i + 1;
    }
  }
}

}  // namespace
}  // namespace arus
