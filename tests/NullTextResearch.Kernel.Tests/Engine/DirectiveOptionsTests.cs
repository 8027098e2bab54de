using System.Text.Json;
using NullTextResearch.Kernel.Engine;
using Xunit;

namespace NullTextResearch.Kernel.Tests.Engine;

public sealed class DirectiveOptionsTests
{
    [Theory]
    [InlineData("--from csharp x --as y", "x", "csharp", "y")]
    [InlineData("x --as=y --from=csharp", "x", "csharp", "y")]
    [InlineData("  --from  'c sharp'  \"x\"  --as \"a\\\"b\"", "x", "c sharp", "a\"b")]
    public void Read_Share_TakesOptionsInAnyOrder(string line, string word, string from, string other)
    {
        DirectiveOptions options = DirectiveOptions.Read(line, "share", 1, "from", "as");
        Assert.Equal([word], options.Words);
        Assert.Equal((from, other), (options.Find("from"), options.Find("as")));
    }

    [Theory]
    [InlineData("--value 3", "3", false)]
    [InlineData("--value \"two words\"", "two words", true)]
    [InlineData("--value {\"a\": [1, \"} x\"]}", "{\"a\": [1, \"} x\"]}", false)]
    [InlineData("--value [1, 2]", "[1, 2]", false)]
    [InlineData("--value @input:\"Which one?\"", "@input:Which one?", false)]
    [InlineData("--value https://example.com/?a=b", "https://example.com/?a=b", false)]
    [InlineData("--value \"C:\\q\"", "C:\\q", true)]
    public void Read_Value_HoldsTogether(string line, string value, bool quoted)
    {
        DirectiveOptions options = DirectiveOptions.Read(line, "set", 1, "value");
        Assert.Equal((value, quoted), (options.Find("value"), options.IsQuoted("value")));
        Assert.Empty(options.Words);
    }

    [Theory]
    [InlineData("--nmae x", "--nmae")]
    [InlineData("--name", "a value after --name")]
    [InlineData("--name a --name b", "once")]
    [InlineData("--name \"a", "not closed")]
    [InlineData("--name {a", "not closed")]
    public void Read_Wrong_Teaches(string line, string word) =>
        Assert.Contains(word, Assert.Throws<CellException>(() => DirectiveOptions.Read(line, "set", 7, "name")).Message, StringComparison.Ordinal);

    [Fact]
    public void Value_Json_IsWhatDotNetInteractiveMakesOfIt()
    {
        Assert.Equal(
            [3.0, true, null, "a", "a b", "0x"],
            [
                DirectiveOptions.Value("3"),
                DirectiveOptions.Value("true"),
                DirectiveOptions.Value("null"),
                DirectiveOptions.Value("\"a\""),
                DirectiveOptions.Value("a b"),
                DirectiveOptions.Value("0x"),
            ]
        );
        Assert.Equal(2, Assert.IsType<JsonDocument>(DirectiveOptions.Value("[1, 2]")).RootElement.GetArrayLength());
    }
}
