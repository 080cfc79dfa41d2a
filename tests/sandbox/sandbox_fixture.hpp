// Real code in a real sandbox, and a look at the host after each test: nothing of the code may be left. Where no
// sandbox can be set up, each test says SKIPPED and why.
#pragma once

#include <asio/io_context.hpp>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <unistd.h>
#include <vector>

#include "agents/sandbox/descriptor.hpp"
#include "agents/sandbox/sandbox.hpp"
#include "tests/support/run_task.hpp"
#include "tests/support/temporary_folder.hpp"

namespace parley::sandbox {

/// The command lines of all processes of this machine that contain `text`.
inline std::vector<std::string> processes_with(const std::string& text) {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    // Without a stream, which throws when the process ends just now.
    const Descriptor file(::open((entry.path() / "cmdline").c_str(), O_RDONLY | O_CLOEXEC));
    std::string line(4096, '\0');
    const ssize_t size = file.is_open() ? ::read(file.get(), line.data(), line.size()) : 0;
    line.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    if (line.find(text) != std::string::npos && entry.path().filename() != std::to_string(::getpid())) {
      found.push_back(line);
    }
  }
  return found;
}

struct SandboxTest : testing::Test {
  SandboxTest() {
    std::ofstream(home / "secret") << "nobody may read this";
    options.folder = home / "state";
    options.limits.wall_time = std::chrono::seconds(20);
    options.limits.memory_bytes = std::uint64_t{256} << 20U;
  }

  void SetUp() override { open(); }
  void open() {
    std::filesystem::permissions(home.path(), std::filesystem::perms(0711));
    Result<std::shared_ptr<Sandbox>> opened = Sandbox::open(options);
    if (!opened) GTEST_SKIP() << "SKIPPED: no sandbox on this machine: " << opened.error().message;
    sandbox = std::move(*opened);
    folder = *sandbox->make_folder();
  }

  void TearDown() override {
    std::ifstream secret(home / "secret");
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(secret), {}), "nobody may read this");
    EXPECT_THAT(processes_with(mark), testing::IsEmpty()) << "something of the code still runs";
    std::ifstream children("/proc/self/task/" + std::to_string(::getpid()) + "/children");
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(children), {}), "") << "a child of ours is left";
  }

  RunResult run(Language language, std::string code, std::vector<File> files = {}) {
    RunRequest request{language, std::move(code), std::move(files)};
    Result<RunResult> result = test::run_task(io, sandbox->run(std::move(request), folder));
    EXPECT_TRUE(result) << result.error().message;
    return result ? std::move(*result) : RunResult{.exit_code = -1};
  }
  RunResult python(std::string code, std::vector<File> files = {}) {
    return run(Language::python, std::move(code), std::move(files));
  }
  RunResult shell(std::string code, std::vector<File> files = {}) {
    return run(Language::shell, std::move(code), std::move(files));
  }

  test::TemporaryFolder home;
  SandboxOptions options;
  asio::io_context io;
  std::shared_ptr<Sandbox> sandbox;
  std::shared_ptr<WorkFolder> folder;
  /// An argument of processes that the code leaves behind, unique to this test: so many seconds to sleep.
  std::string mark = "77" + std::to_string(::getpid());
};

}  // namespace parley::sandbox
