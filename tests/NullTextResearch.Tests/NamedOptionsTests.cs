using NullTextResearch.Editing;
using NullTextResearch.Inversion;
using Xunit;

namespace NullTextResearch.Tests;

public sealed class NamedOptionsTests
{
    /// <summary>Every record of options that a method, path or editor of the catalogue has.</summary>
    public static TheoryData<string> Everything =>
        [
            .. InversionCatalogue.All.Select(m => $"method {m.Id}"),
            .. PathCatalogue.All.Select(p => $"path {p.Id}"),
            .. EditorCatalogue.All.Select(e => $"editor {e.Id}"),
        ];

    [Theory]
    [MemberData(nameof(Everything))]
    public void With_EveryOptionAsItIs_ChangesNothing_AndAnotherValueThatOptionAlone(string name)
    {
        object options = OptionsOf(name);
        IReadOnlyList<NamedOption> all = NamedOptions.Of(options);
        Assert.Equal(all.Count, all.Select(o => o.Name).Distinct().Count());
        foreach (NamedOption option in all.Where(o => o.Value.Length > 0))
        {
            Assert.Equal(options, NamedOptions.With(options, [KeyValuePair.Create(option.Name, option.Value)]));
            string other = Other(option);
            object changed = NamedOptions.With(options, [KeyValuePair.Create(option.Name, other)]);
            Assert.NotEqual(options, changed);
            foreach (NamedOption now in NamedOptions.Of(changed))
                Assert.Equal(now.Name == option.Name ? other : all.Single(o => o.Name == now.Name).Value, now.Value);
        }
    }

    [Theory]
    [MemberData(nameof(Methods))]
    public void Create_OptionByName_ReachesTheMethod(string id)
    {
        object plain = InversionCatalogue.Create(id).Options;
        foreach (NamedOption option in NamedOptions.Of(plain).Where(o => o.Value.Length > 0 && o.Kind == "number"))
        {
            MethodRequest request = new() { Options = [KeyValuePair.Create(option.Name, Other(option))] };
            object changed = InversionCatalogue.Create(id, null, request).Options;
            Assert.Equal(Other(option), NamedOptions.Of(changed).Single(o => o.Name == option.Name).Value);
        }
    }

    public static TheoryData<string> Methods => [.. InversionCatalogue.All.Select(m => m.Id)];

    [Fact]
    public void Create_OptionOfThePath_ReachesThePath()
    {
        MethodRequest request = new() { Options = [KeyValuePair.Create("path.iterations", "11"), KeyValuePair.Create("learning-rate", "0.5")] };
        NullTextOptions options = Assert.IsType<NullTextOptions>(InversionCatalogue.Create("null-text", "fixed-point", request).Options);
        Assert.Equal(11, Assert.IsType<FixedPointOptions>(options.Inversion).Iterations);
        Assert.Equal(0.5, options.LearningRate);
    }

    [Theory]
    [InlineData("null-text", null, "learning-rte", "1", "available: inner-steps, learning-rate,")]
    [InlineData("null-text", null, "learning-rate", "fast", "expected number")]
    [InlineData("null-text", null, "advance", "Reevaluate", "reuse-last-inner")]
    [InlineData("null-text", "fixed-point", "path.iterations", "1.5", "expected whole number")]
    [InlineData("null-text", "fixed-point", "path.iterations", "-1", "must be 0 or more")]
    [InlineData("edict", null, "path.mix", "0.9", "edict takes no path")]
    public void Create_OptionOrValueThatIsNotThere_SaysWhatThereIs(string id, string? path, string option, string value, string expected)
    {
        MethodRequest request = new() { Options = [KeyValuePair.Create(option, value)] };
        Assert.Contains(expected, Assert.Throws<ArgumentException>(() => InversionCatalogue.Create(id, path, request)).Message);
    }

    [Theory]
    [InlineData("0.2-0.8", 0.2, 0.8)]
    [InlineData("[0, 1)", 0, 1)]
    [InlineData("0,0.5", 0, 0.5)]
    public void StepWindow_Text_IsRead(string text, double start, double end) => Assert.Equal(new StepWindow(start, end), StepWindow.Parse(text));

    [Theory]
    [InlineData("")]
    [InlineData("0.5")]
    [InlineData("0.8-0.2")]
    [InlineData("0-1.5")]
    [InlineData("a-b")]
    public void StepWindow_OtherText_IsRefused(string text) => Assert.Throws<FormatException>(() => StepWindow.Parse(text));

    private static object OptionsOf(string name)
    {
        string[] parts = name.Split(' ');
        return parts[0] switch
        {
            "method" => InversionCatalogue.Create(parts[1]).Options,
            "path" => PathCatalogue.Find(parts[1]).Default,
            _ => EditorCatalogue.Find(parts[1]).Default,
        };
    }

    private static string Other(NamedOption option) =>
        option.Kind switch
        {
            "number" => option.Value == "0.5" ? "0.25" : "0.5",
            "whole number" => option.Value == "3" ? "4" : "3",
            "true or false" => option.Value == "true" ? "false" : "true",
            { } kind when kind.StartsWith("shares", StringComparison.Ordinal) => option.Value == "[0.1, 0.2)" ? "[0, 1)" : "[0.1, 0.2)",
            { } names => names.Split(", ").First(n => n != option.Value),
        };
}
