// What the sandbox is for: code that behaves.
#include "tests/sandbox/sandbox_fixture.hpp"

namespace parley::sandbox {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST_F(SandboxTest, runs_python_and_shell_and_gives_their_output) {
  const RunResult python_result = python("import sys; print(6 * 7); print('oh', file=sys.stderr)");
  EXPECT_EQ(python_result.out, "42\n");
  EXPECT_EQ(python_result.err, "oh\n");
  EXPECT_TRUE(python_result.is_success());
  EXPECT_EQ(shell("echo $((6 * 7)) | tr 4 5").out, "52\n");
}

TEST_F(SandboxTest, code_that_fails_is_a_result_with_its_exit_code_and_trace) {
  const RunResult result = python("def f():\n  raise ValueError('bad')\nf()");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("line 2"));
  EXPECT_THAT(result.err, HasSubstr("ValueError: bad"));
  EXPECT_EQ(shell("exit 3").exit_code, 3);
  EXPECT_EQ(shell("kill -SEGV $$").exit_code, 128 + 11);
}

TEST_F(SandboxTest, gives_files_to_the_code_and_back) {
  const RunResult result =
      python("text = open('data/in.txt').read()\nopen('out.txt', 'w').write(text.upper())", {{"data/in.txt", "hello"}});
  EXPECT_THAT(result.files, ElementsAre(File{"out.txt", "HELLO"}));
  EXPECT_THAT(result.left_out, IsEmpty());
}

TEST_F(SandboxTest, the_work_folder_persists_between_runs_and_only_changes_are_given_back) {
  shell("echo one > a; echo one > b; mkdir -p c; printf '#!/bin/sh\\necho ran\\n' > c/run; chmod +x c/run");
  const RunResult second = shell("echo two > b; rm a; c/run");
  EXPECT_EQ(second.out, "ran\n");
  EXPECT_THAT(second.files, ElementsAre(File{"b", "two\n"}));
  EXPECT_THAT(folder->names(), ElementsAre("b", "c/run"));
  EXPECT_EQ(shell("cat b; ls").out, "two\nb\nc\n");
}

TEST_F(SandboxTest, python_imports_modules_of_the_work_folder) {
  EXPECT_EQ(python("import solution; print(solution.f())", {{"solution.py", "def f(): return 7"}}).out, "7\n");
}

TEST_F(SandboxTest, two_work_folders_do_not_see_each_other) {
  shell("echo mine > file");
  folder = *sandbox->make_folder();
  EXPECT_EQ(shell("ls").out, "");
}

TEST_F(SandboxTest, a_work_folder_that_nobody_holds_is_removed_from_the_host) {
  shell("echo mine > file");
  const auto count = [this] {
    return std::distance(std::filesystem::recursive_directory_iterator(options.folder), {});
  };
  const auto with_file = count();
  folder.reset();
  EXPECT_EQ(count(), with_file - 2);
  sandbox.reset();
  EXPECT_THAT(std::filesystem::is_empty(options.folder), true);
}

TEST_F(SandboxTest, has_no_input_to_wait_for) { EXPECT_EQ(shell("cat; echo done").out, "done\n"); }

TEST_F(SandboxTest, large_output_is_cut_and_the_code_goes_on) {
  const RunResult result = python("print('x' * 200000)");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.out.size(), options.limits.max_output_bytes);
  EXPECT_TRUE(result.is_truncated);
}

TEST_F(SandboxTest, too_many_files_and_too_large_ones_stay_but_are_not_given_back) {
  const RunResult result =
      python("for i in range(25): open(f'f{i:02}', 'w').write('x')\nopen('a', 'w').write('x' * 2000000)");
  EXPECT_EQ(result.files.size(), 20U);
  EXPECT_EQ(result.left_out.size(), 6U);
  EXPECT_EQ(shell("wc -c < a").out, "2000000\n");
}

TEST_F(SandboxTest, runs_several_at_once_and_those_of_one_folder_one_after_the_other) {
  std::vector<Result<RunResult>> results;
  for (int i = 0; i < 6; ++i) {
    RunRequest request{Language::shell, "cat log 2>/dev/null; echo " + std::to_string(i) + " >> log"};
    asio::co_spawn(io, sandbox->run(std::move(request), folder),
                   [&](const std::exception_ptr&, Result<RunResult> result) { results.push_back(std::move(result)); });
  }
  test::run_until(io, [&] { return results.size() == 6; });
  EXPECT_EQ(results.back()->out, "0\n1\n2\n3\n4\n");
}

TEST_F(SandboxTest, refuses_names_that_lead_out_of_the_work_folder) {
  for (const char* name : {"../x", "/etc/x", "a/../../x", ""}) {
    RunRequest request{Language::shell, "true", {{name, "x"}}};
    const auto refused = test::run_task(io, sandbox->run(std::move(request), folder));
    ASSERT_FALSE(refused) << name;
    EXPECT_EQ(refused.error().code, ErrorCode::invalid);
  }
}

TEST_F(SandboxTest, without_bubblewrap_it_does_not_open) {
  options.bwrap = "/nowhere/bwrap";
  const auto refused = Sandbox::open(options);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::bad_configuration);
  EXPECT_THAT(refused.error().message, HasSubstr("Debian package bubblewrap"));
}

TEST_F(SandboxTest, where_bubblewrap_fails_it_does_not_open_and_says_why) {
  options.bwrap = home / "bwrap";
  std::ofstream(options.bwrap) << "#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n";
  std::filesystem::permissions(options.bwrap, std::filesystem::perms(0755));
  const auto refused = Sandbox::open(options);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("No permissions to create new namespace"));
  EXPECT_THAT(refused.error().message, HasSubstr("README"));
}

TEST_F(SandboxTest, never_runs_anything_when_bubblewrap_does_not_wall_it_in) {
  options.bwrap = home / "bwrap";
  std::ofstream(options.bwrap) << "#!/bin/bash\nwhile [ \"$1\" != /bin/sh ]; do shift; done\n\"$@\" &\n"
                               << "printf '{ \"child-pid\": %d, }' $! >&4\nwait\n";
  std::filesystem::permissions(options.bwrap, std::filesystem::perms(0755));
  EXPECT_FALSE(Sandbox::open(options));
}

TEST_F(SandboxTest, a_folder_that_others_may_write_in_is_refused) {
  std::filesystem::create_directory(home / "shared");
  std::filesystem::permissions(home / "shared", std::filesystem::perms(0777));
  options.folder = home / "shared";
  EXPECT_FALSE(Sandbox::open(options));
}

TEST_F(SandboxTest, removes_what_a_killed_process_has_left_behind) {
  std::filesystem::create_directories(options.folder / "s-dead" / "w1");
  std::ofstream(options.folder / "s-dead" / "lock");
  const auto another = Sandbox::open(options);
  EXPECT_FALSE(std::filesystem::exists(options.folder / "s-dead"));
  EXPECT_EQ(shell("echo alive").out, "alive\n") << "one that lives keeps its folder";
}

}  // namespace
}  // namespace parley::sandbox
