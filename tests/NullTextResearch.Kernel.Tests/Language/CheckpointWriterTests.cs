using Microsoft.CodeAnalysis.CSharp;
using NullTextResearch.Kernel.Engine;
using NullTextResearch.Kernel.Language;
using Xunit;

namespace NullTextResearch.Kernel.Tests.Language;

public sealed class CheckpointWriterTests
{
    private const string Call = "global::NullTextResearch.Kernel.Engine.Checkpoint.Pass();";

    [Theory]
    [InlineData("while (a) b();", "while (a) {!b();}")]
    [InlineData("while (a) { b(); }", "while (a) {! b(); }")]
    [InlineData("while (a) ;", "while (a) {!;}")]
    [InlineData("do b(); while (a);", "do {!b();} while (a);")]
    [InlineData("for (;;) if (a) b(); else c();", "for (;;) {!if (a) b(); else c();}")]
    [InlineData("while (a) while (b) c();", "while (a) {!while (b) {!c();}}")]
    [InlineData("foreach (var x in y) // why\n    b(); // so", "foreach (var x in y) // why\n    {!b();} // so")]
    [InlineData("foreach (var (x, z) in y) b();", "foreach (var (x, z) in y) {!b();}")]
    [InlineData("again: b(); goto again;", "again:! b(); goto again;")]
    [InlineData("void F() { b(); }", "void F() {! b(); }")]
    [InlineData("class C { void F() { void G() { } } }", "class C { void F() {! void G() {! } } }")]
    [InlineData("f(x => { }); f((x, y) => { }); f(delegate { });", "f(x => {! }); f((x, y) => {! }); f(delegate {! });")]
    [InlineData("while (a)\n{\n#if X\n    b();\n#endif\n}", "while (a)\n{!\n#if X\n    b();\n#endif\n}")]
    [InlineData("var s = $\"{f(() => { return 1; })}\";", "var s = $\"{f(() => {! return 1; })}\";")]
    public void Write_LoopsMethodsAndLambdas_GetACheckpoint(string code, string expected)
    {
        string written = CheckpointWriter.Write(code);

        Assert.Equal(expected.Replace("!", Call, StringComparison.Ordinal), written);
        Assert.Empty(
            CSharpSyntaxTree
                .ParseText(written, CellPlan.ParseOptions, cancellationToken: TestContext.Current.CancellationToken)
                .GetDiagnostics(TestContext.Current.CancellationToken)
        );
        Assert.Equal(code.Count(c => c == '\n'), written.Count(c => c == '\n'));
    }

    [Theory]
    [InlineData("var x = 1; x")]
    [InlineData("int F() => 1; f(x => x + 1);")]
    [InlineData("try { b(); } finally { while (a) b(); }")]
    [InlineData("abstract class C { public abstract void F(); }")]
    [InlineData("while (a { b(); }")]
    [InlineData("")]
    public void Write_NothingToGuardOrNotC_IsLeftAlone(string code) => Assert.Equal(code, CheckpointWriter.Write(code));
}
