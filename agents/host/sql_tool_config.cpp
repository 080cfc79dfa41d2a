// `type: sql`.
#include <array>
#include <utility>

#include "agents/host/tool_types.hpp"
#include "agents/tools/sql_tool.hpp"

namespace parley::host {
namespace {

using config::ConfigReader;
using std::chrono::milliseconds;

MakeTool read_sql(ConfigReader& settings, const ToolCommon& common) {
  constexpr std::array<std::string_view, 3> kAccess{"read", "rows", "schema"};
  constexpr std::array<std::string_view, 2> kFormats{"table", "json_lines"};
  tools::SqlToolOptions options;
  options.name = common.name;
  options.description = common.description;
  const std::string database = settings.required_text("database");
  if (!database.empty()) options.database = (common.folder / database).string();
  const std::string init = settings.text("init");
  if (!init.empty()) options.init = (common.folder / init).string();
  options.access = static_cast<tools::SqlAccess>(settings.choice("access", kAccess, 0));
  options.format = static_cast<tools::SqlFormat>(settings.choice("format", kFormats, 0));
  options.limits.max_rows = settings.integer("max_rows", options.limits.max_rows, {1, 100'000});
  options.limits.max_bytes = common.max_result_bytes;
  return [options = std::move(options)](ToolServices& services) -> Result<MadeTool> {
    Result<std::shared_ptr<tools::SqlTool>> tool = tools::SqlTool::make(options, services.io);
    if (!tool) return fail(std::move(tool).error());
    return std::shared_ptr<tools::Tool>(std::move(*tool));
  };
}

}  // namespace

const ToolType kSqlToolType{"sql", false, milliseconds(10'000), &read_sql};

}  // namespace parley::host
