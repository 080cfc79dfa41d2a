// A clang plugin that narrows clang-tidy to this project's own code.
//
// clang-tidy walks the whole syntax tree once per file, and all but a few per cent of that tree are the headers of the
// standard library, Asio, spdlog and so on, whose findings it then throws away. This action runs before it and leaves
// only the declarations that are neither in a system header nor in the precompiled one. clang-tidy 21 does so by
// itself. Built by the `tidy` preset, loaded by run_tidy.py.

#include <clang/AST/ASTConsumer.h>
#include <clang/AST/ASTContext.h>
#include <clang/Basic/SourceManager.h>
#include <clang/Frontend/CompilerInstance.h>
#include <clang/Frontend/FrontendPluginRegistry.h>
#include <memory>
#include <string>
#include <vector>

namespace {

class NarrowScope : public clang::ASTConsumer {
 public:
  void HandleTranslationUnit(clang::ASTContext& context) override {
    const clang::SourceManager& sources = context.getSourceManager();
    std::vector<clang::Decl*> own;
    for (clang::Decl* declaration : context.getTranslationUnitDecl()->noload_decls()) {
      if (!declaration->isFromASTFile() && !sources.isInSystemHeader(declaration->getLocation())) {
        own.push_back(declaration);
      }
    }
    context.setTraversalScope(own);
  }
};

class OwnCodeOnly : public clang::PluginASTAction {
 protected:
  std::unique_ptr<clang::ASTConsumer> CreateASTConsumer(clang::CompilerInstance&, llvm::StringRef) override {
    return std::make_unique<NarrowScope>();
  }
  bool ParseArgs(const clang::CompilerInstance&, const std::vector<std::string>&) override { return true; }
  ActionType getActionType() override { return AddBeforeMainAction; }
};

const clang::FrontendPluginRegistry::Add<OwnCodeOnly> kRegistration("own-code-only", "skip system headers");

}  // namespace
