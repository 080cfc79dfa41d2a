#include "agents/sandbox/file_tree.hpp"

#include <fcntl.h>
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "agents/sandbox/bwrap_command.hpp"
#include "agents/sandbox/descriptor.hpp"
#include "tests/support/temporary_folder.hpp"

namespace parley::sandbox {
namespace {

using testing::ElementsAre;

struct FileTree : testing::Test {
  test::TemporaryFolder temporary;
  std::filesystem::path path = temporary.path();
  Descriptor folder{::open(path.c_str(), O_RDONLY | O_DIRECTORY)};
};

TEST(FileNames, stay_within_the_folder) {
  for (const char* good : {"a", "a.txt", "data/in.csv", "ä ö/ü", "..a", "a/b/c/d/e/f/g/h/i"}) {
    EXPECT_TRUE(is_valid_file_name(good)) << good;
  }
  for (const char* bad :
       {"", "/", "/etc/passwd", "..", "../a", "a/../b", "a//b", "a/", "./a", "a\nb", "a/b/c/d/e/f/g/h/i/j"}) {
    EXPECT_FALSE(is_valid_file_name(bad)) << bad;
  }
  EXPECT_FALSE(is_valid_file_name(std::string(600, 'x')));
  EXPECT_FALSE(is_valid_file_name(std::string("a\0b", 3)));
}

TEST_F(FileTree, finds_what_was_written) {
  ASSERT_TRUE(write_file(folder.get(), "b/c.txt", "two", true, std::nullopt));
  ASSERT_TRUE(write_file(folder.get(), "a.txt", "one", false, std::nullopt));
  const FoundTree tree = find_files(folder.get(), 100);
  ASSERT_EQ(tree.files.size(), 2U);
  EXPECT_EQ(tree.files[0].name, "a.txt");
  EXPECT_EQ(tree.files[1].name, "b/c.txt");
  EXPECT_EQ(tree.files[1].bytes, 3U);
  EXPECT_TRUE(tree.files[1].is_executable);
  EXPECT_EQ(*read_file(folder.get(), "b/c.txt", 10), "two");
  EXPECT_EQ(read_file(folder.get(), "b/c.txt", 2).error().code, ErrorCode::too_large);
}

TEST_F(FileTree, a_file_written_again_at_once_has_another_stamp) {
  const auto first = write_file(folder.get(), "a", "one", false, std::nullopt);
  const Descriptor file(::open((path / "a").c_str(), O_WRONLY));
  ASSERT_EQ(::write(file.get(), "two", 3), 3);
  ASSERT_TRUE(first);
  EXPECT_NE(find_files(folder.get(), 10).files.at(0).stamp, *first);
}

TEST_F(FileTree, follows_no_link) {
  std::filesystem::create_symlink("/etc/passwd", path / "link");
  std::filesystem::create_symlink("/etc", path / "folder");
  ASSERT_EQ(::mkfifo((path / "pipe").c_str(), 0600), 0);
  const FoundTree tree = find_files(folder.get(), 100);
  EXPECT_TRUE(tree.files.empty());
  EXPECT_THAT(tree.left_out, ElementsAre("folder", "link", "pipe"));
  for (const char* name : {"link", "folder/passwd", "pipe"})
    EXPECT_FALSE(read_file(folder.get(), name, 1 << 20)) << name;
  EXPECT_FALSE(write_file(folder.get(), "link", "x", false, std::nullopt));
  EXPECT_FALSE(write_file(folder.get(), "folder/x", "x", false, std::nullopt));
}

TEST_F(FileTree, stops_after_so_many_entries_and_so_deep) {
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(write_file(folder.get(), std::to_string(i), "", false, std::nullopt));
  EXPECT_EQ(find_files(folder.get(), 5).files.size(), 5U);
  std::filesystem::path deep = path;
  for (int i = 0; i < 40; ++i) std::filesystem::create_directory(deep /= "d");
  EXPECT_EQ(find_files(folder.get(), 100).left_out.size(), 1U);
}

TEST(BwrapCommand, opens_nothing_of_the_host_but_programs_and_what_was_named) {
  Host host;
  host.etc = "/state/etc";
  host.read_only = {"/opt/venv"};
  const std::vector<std::string> words = bwrap_command(host, {}, Language::python);
  std::vector<std::string> bound;
  for (std::size_t at = 0; at + 1 < words.size(); ++at) {
    if (words[at] == "--bind" || words[at] == "--dev-bind") ADD_FAILURE() << "can be written: " << words[at + 1];
    if (words[at] == "--ro-bind") bound.push_back(words[at + 1]);
  }
  EXPECT_THAT(bound, ElementsAre("/usr", "/state/etc/passwd", "/state/etc/group", "/state/etc/hosts", "/opt/venv"));
  for (const char* wall : {"--unshare-net", "--unshare-pid", "--unshare-user", "--disable-userns", "--die-with-parent",
                           "--clearenv", "--seccomp", "--new-session"}) {
    EXPECT_THAT(words, testing::Contains(wall));
  }
}

TEST(BwrapCommand, root_runs_the_sandbox_as_somebody_else) {
  Host host;
  EXPECT_EQ(bwrap_command(host, {}, Language::shell).front(), "/usr/bin/bwrap");
  host.run_as = 65534;
  const std::vector<std::string> words = bwrap_command(host, {}, Language::shell);
  EXPECT_EQ(words.front(), "/usr/bin/setpriv");
  EXPECT_THAT(words, testing::Contains("--reuid=65534"));
}

}  // namespace
}  // namespace parley::sandbox
