using System.Text.Json;
using NullTextResearch.Editing;
using NullTextResearch.Experiments;
using NullTextResearch.Inversion;
using Xunit;

namespace NullTextResearch.Tests.Experiments;

/// <summary>The study of the quirks of original codes.</summary>
public sealed class QuirkStudyTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("nulltext-quirks-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    public static TheoryData<int> Quirks => [.. Enumerable.Range(0, Quirk.All.Count)];

    [Theory]
    [MemberData(nameof(Quirks))]
    public void Quirk_OnAndOff_DifferInOneOption(int index)
    {
        Quirk quirk = Quirk.All[index];
        (IInversion onMethod, EditorOptions onEditor) = quirk.Create(quirky: true, innerSteps: 1);
        (IInversion offMethod, EditorOptions offEditor) = quirk.Create(quirky: false, innerSteps: 1);
        string Json(IInversion method, EditorOptions editor) => JsonSerializer.Serialize(new object[] { method.Options, editor });
        string on = Json(onMethod, onEditor),
            off = Json(offMethod, offEditor);
        Assert.NotEqual(off, on);
        // The one named option, whose value as text has at most as many characters as "false" has.
        int same = on.Zip(off).TakeWhile(p => p.First == p.Second).Count(),
            sameEnd = on.Reverse().Zip(off.Reverse()).TakeWhile(p => p.First == p.Second).Count();
        Assert.InRange(off.Length - same - sameEnd, 0, 5);
        Assert.InRange(on.Length - same - sameEnd, 0, 5);
    }

    [Fact]
    public void Run_QuirkThatChangesNothing_IsNone_AndASecondRunComputesNothing()
    {
        using StableDiffusion model = StableDiffusion.LoadMini();
        ExperimentSettings settings = ExperimentSettings.Quick with { Steps = 3, InnerSteps = [1], BatchSize = 1 };
        // One inner step is what both variants have, so the first quirk changes nothing.
        Quirk[] quirks = [new("inner-steps", "null-text") { Value = "1" }, new("eta", "edit-friendly") { Value = "0.1" }];
        string First()
        {
            using ExperimentLab lab = new(model, ExperimentImages.Toy(2, model.ImageSize), settings, new ResultCache(_folder), "mini");
            string table = QuirkStudy.ToMarkdown(QuirkStudy.Run(lab, quirks));
            Assert.Equal(6, lab.Cache.Written);
            return table;
        }
        string first = First();
        string[] lines = first.Split('\n');
        Assert.Contains("| none | none | 2 |", lines[2], StringComparison.Ordinal);
        // Edit-friendly noise reconstructs exactly, however much of it there is.
        Assert.DoesNotContain("| none | none |", lines[3], StringComparison.Ordinal);
        using ExperimentLab again = new(model, ExperimentImages.Toy(2, model.ImageSize), settings, new ResultCache(_folder), "mini");
        Assert.Equal(first, QuirkStudy.ToMarkdown(QuirkStudy.Run(again, quirks)));
        Assert.Equal((0, 0L), (again.Cache.Written, again.Evaluations));
    }

    [Fact]
    public void Run_ImageWithoutATrueEdit_SaysWhichAndWhatToUse()
    {
        using StableDiffusion model = StableDiffusion.LoadMini();
        ExperimentImage[] images = [.. ExperimentImages.Toy(2, model.ImageSize).Select((image, i) => i == 1 ? image with { Edits = [] } : image)];
        using ExperimentLab lab = new(model, images, ExperimentSettings.Quick, new ResultCache(_folder), "mini");
        ArgumentException error = Assert.Throws<ArgumentException>(() => QuirkStudy.Run(lab));
        Assert.Contains($"'{images[1].Name}' has no edit whose true result is known; use rendered scenes", error.Message, StringComparison.Ordinal);
        Assert.Equal(0, lab.Cache.Written);
    }
}
