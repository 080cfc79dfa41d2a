#include "agents/tools/code_tool.hpp"

#include <array>
#include <asio/this_coro.hpp>
#include <string_view>
#include <utility>

#include "agents/sandbox/result_text.hpp"
#include "agents/sandbox/turn_run.hpp"
#include "libmsg/wire/envelope.hpp"

namespace parley::tools {
namespace {

using sandbox::File;
using sandbox::Language;
using sandbox::RunRequest;
using sandbox::RunResult;

std::string code_description(const sandbox::Sandbox& sandbox) {
  const sandbox::SandboxLimits& limits = sandbox.options().limits;
  constexpr std::uint64_t kMebi = std::uint64_t{1} << 20U;
  std::string languages;
  for (const Language language : sandbox.options().languages) {
    languages += (languages.empty() ? "" : " or ") + std::string(to_string(language));
  }
  return "Runs " + languages +
         " code and returns its exit code, stdout, stderr and the files that it made. The code runs "
         "in a sandbox without network access, in a work folder that keeps its files between calls; at most " +
         std::to_string(std::chrono::ceil<std::chrono::seconds>(limits.wall_time).count()) + " seconds and " +
         std::to_string(limits.memory_bytes / kMebi) + " MiB of memory. Print what you want to know.";
}

nlohmann::json code_parameters(const sandbox::Sandbox& sandbox) {
  nlohmann::json languages = nlohmann::json::array();
  for (const Language language : sandbox.options().languages) languages.push_back(to_string(language));
  const nlohmann::json text{{"type", "string"}};
  nlohmann::json file{{"type", "object"},
                      {"properties", {{"name", text}, {"content", text}}},
                      {"required", {"name", "content"}},
                      {"additionalProperties", false}};
  return {{"type", "object"},
          {"properties",
           {{"language", {{"type", "string"}, {"enum", languages}}},
            {"code", {{"type", "string"}, {"description", "The whole program."}}},
            {"files",
             {{"type", "array"},
              {"items", file},
              {"description", "Files to put into the work folder first; names are paths relative to it."}}}}},
          {"required", {"language", "code"}},
          {"additionalProperties", false}};
}

/// The conversation in which the tool is used: a tool host has another agent id for each call.
std::string code_folder_key(const Context& turn) {
  const std::string_view conversation = turn.attribute(wire::attribute::kConversation);
  return conversation.empty() ? turn.self().str() : std::string(conversation);
}

/// By the end of the name; empty for what is not known.
std::string code_media_type(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 10> kTypes{{{".txt", "text/plain"},
                                                                                  {".csv", "text/csv"},
                                                                                  {".json", "application/json"},
                                                                                  {".md", "text/markdown"},
                                                                                  {".html", "text/html"},
                                                                                  {".py", "text/x-python"},
                                                                                  {".png", "image/png"},
                                                                                  {".svg", "image/svg+xml"},
                                                                                  {".jpg", "image/jpeg"},
                                                                                  {".pdf", "application/pdf"}}};
  for (const auto& [end, type] : kTypes) {
    if (name.ends_with(end)) return std::string(type);
  }
  return {};
}

/// The arguments fit the schema.
RunRequest code_request(const nlohmann::json& arguments) {
  RunRequest request;
  request.language = arguments.at("language").get_ref<const std::string&>() == to_string(Language::python)
                         ? Language::python
                         : Language::shell;
  request.code = arguments.at("code").get<std::string>();
  if (!arguments.contains("files")) return request;
  for (const nlohmann::json& file : arguments.at("files")) {
    request.files.push_back({file.at("name").get<std::string>(), file.at("content").get<std::string>()});
  }
  return request;
}

messages::ToolResult code_result(RunResult result) {
  messages::ToolResult message;
  message.content = sandbox::result_text(result);
  message.is_error = !result.is_success();
  message.is_truncated = result.is_truncated;
  for (File& file : result.files) {
    std::string media_type = code_media_type(file.name);
    message.files.push_back({std::move(file.name), std::move(media_type), std::move(file.bytes)});
  }
  return message;
}

}  // namespace

CodeTool::CodeTool(CodeToolOptions options, std::shared_ptr<sandbox::Sandbox> sandbox)
    : sandbox_(std::move(sandbox)), folders_(std::make_shared<sandbox::WorkFolders>(sandbox_, options.folders)) {
  spec_.name = std::move(options.name);
  spec_.description = options.description.empty() ? code_description(*sandbox_) : std::move(options.description);
  spec_.parameters = code_parameters(*sandbox_).dump();
}

Task<Result<messages::ToolResult>> CodeTool::call(nlohmann::json arguments, ToolContext& context) {
  Result<std::shared_ptr<sandbox::WorkFolder>> folder =
      folders_->of(code_folder_key(context.turn), co_await asio::this_coro::executor);
  if (!folder) co_return fail(std::move(folder).error());
  Result<RunResult> result = co_await sandbox::run_in_turn(*sandbox_, code_request(arguments), std::move(*folder),
                                                           context.turn, context.deadline);
  if (!result) co_return fail(std::move(result).error());
  co_return code_result(std::move(*result));
}

}  // namespace parley::tools
