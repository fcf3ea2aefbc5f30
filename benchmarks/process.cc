#include "benchmarks/process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/endian.h"

namespace arus::benchmark {
namespace {

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

bool read_fully(int descriptor, std::uint8_t* to, std::size_t count) {
  while (count > 0) {
    const ssize_t got = ::read(descriptor, to, count);
    if (got <= 0) return false;
    to += got;
    count -= static_cast<std::size_t>(got);
  }
  return true;
}

}  // namespace

int free_port() {
  for (int port = 23000 + static_cast<int>(::getpid() % 1000); port < 32000; ++port) {
    const int descriptor = ::socket(AF_INET, SOCK_STREAM, 0);
    const sockaddr_in address = loopback(port);
    const bool bound =
        ::bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    ::close(descriptor);
    if (bound) return port;
  }
  std::fprintf(stderr, "no free port\n");
  std::exit(1);
}

bool ask_api_versions(int descriptor) {
  // size 10, key 18, version 0, correlation 1, no client id
  const std::uint8_t request[] = {0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff};
  if (::write(descriptor, request, sizeof request) != ssize_t{sizeof request}) return false;
  std::uint8_t head[4];
  if (!read_fully(descriptor, head, sizeof head)) return false;
  const auto size = load_big<std::int32_t>(head);
  if (size < 0 || size > 100'000) return false;
  Bytes body(static_cast<std::size_t>(size));
  return read_fully(descriptor, body.data(), body.size());
}

int greeted_connection(int port) {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int one = 1;
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  const sockaddr_in address = loopback(port);
  if (::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
      ask_api_versions(descriptor)) {
    return descriptor;
  }
  ::close(descriptor);
  return -1;
}

double now_s() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void sleep_s(double seconds) { ::usleep(static_cast<useconds_t>(seconds * 1e6)); }

void sleep_until(double when) {
  ::prctl(PR_SET_TIMERSLACK, 1000);  // of this thread, in ns
  for (double wait = 0; (wait = when - now_s()) > 0;) sleep_s(wait);
}

void recycle_memory(const std::string& directory, std::int64_t bytes) {
  std::filesystem::create_directories(directory);
  const std::string path = directory + "/recycle";
  const int file = ::open(path.c_str(), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
  const Bytes block(1 << 20, 0x5a);
  for (std::int64_t done = 0; done < bytes; done += std::ssize(block)) {
    if (::write(file, block.data(), block.size()) < 0) break;
  }
  ::close(file);
  ::unlink(path.c_str());
}

ServerProcess::ServerProcess(std::string data) : data_(std::move(data)), port_(free_port()) {
  std::filesystem::remove_all(data_);
}

ServerProcess::ServerProcess(const std::string& binary, std::string data,
                             const std::vector<std::string>& options)
    : ServerProcess(std::move(data)) {
  command_ = {binary, "serve", "--data", data_, "--listen", address()};
  command_.insert(command_.end(), options.begin(), options.end());
}

ServerProcess::~ServerProcess() {
  if (pid_ > 0) kill();
  std::filesystem::remove_all(data_);
}

double ServerProcess::start() {
  std::vector<char*> arguments;
  for (auto& word : command_) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const double began = now_s();
  pid_ = ::fork();
  if (pid_ == 0) {
    const int nowhere = ::open("/dev/null", O_RDWR);
    ::dup2(nowhere, 0);
    ::dup2(nowhere, 1);
    ::execvp(arguments.front(), arguments.data());
    std::_Exit(127);
  }
  while (now_s() - began < 120) {
    const int descriptor = greeted_connection(port_);
    if (descriptor >= 0) {
      const double took = now_s() - began;
      ::close(descriptor);
      return took;
    }
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) == pid_) break;
    ::usleep(500);
  }
  std::fprintf(stderr, "the server did not start\n");
  std::exit(1);
}

KafkaProcess::KafkaProcess(const std::string& folder, const std::string& data,
                           const std::vector<std::string>& settings)
    : ServerProcess(data) {
  std::filesystem::create_directories(data);
  const std::string properties = data + "/server.properties";
  const int controller_port = port() + 1;
  std::ofstream file(properties);
  file << "process.roles=broker,controller\nnode.id=1\n"
       << "listeners=PLAINTEXT://" << address() << ",CONTROLLER://127.0.0.1:" << controller_port
       << "\ncontroller.listener.names=CONTROLLER\ncontroller.quorum.voters=1@127.0.0.1:"
       << controller_port << "\nlog.dirs=" << data << "/log\n";
  for (const std::string& line : settings) file << line << "\n";
  file.close();
  const std::string java = "java -cp '" + folder + "/libs/*' ";
  const std::string format = java +
                             "kafka.tools.StorageTool format -t AAAAAAAAAAAAAAAAAAAAAQ -c '" +
                             properties + "' >/dev/null 2>&1";
  if (std::system(format.c_str()) != 0) {
    std::fprintf(stderr, "Kafka's directory could not be formatted\n");
    std::exit(1);
  }
  command_ = {"java", "-Xmx1g", "-cp", folder + "/libs/*", "kafka.Kafka", properties};
}

void ServerProcess::stop() {
  ::kill(pid_, SIGTERM);
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
}

void ServerProcess::kill() {
  ::kill(pid_, SIGKILL);
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
}

double ServerProcess::cpu_s() const {
  std::ifstream file("/proc/" + std::to_string(pid_) + "/stat");
  std::string text;
  std::getline(file, text);
  std::istringstream rest(text.substr(text.rfind(')') + 2));
  std::string skipped;
  for (int i = 0; i < 11; ++i) rest >> skipped;  // state … cmajflt
  double user = 0;
  double system = 0;
  rest >> user >> system;
  return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

std::int64_t ServerProcess::anonymous_bytes() const {
  std::ifstream file("/proc/" + std::to_string(pid_) + "/status");
  std::string line;
  while (std::getline(file, line)) {
    if (line.starts_with("RssAnon:")) return std::stoll(line.substr(8)) * 1024;
  }
  return 0;
}

}  // namespace arus::benchmark
