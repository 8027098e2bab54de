using System.Text;
using NullTextResearch.Benchmarks;
using NullTextResearch.Images;
using Xunit;

namespace NullTextResearch.Tests.Benchmarks;

public sealed class StudyPlanTests
{
    private const string Whole = """
        {
          "name": "all-of-it",
          "data": [
            {"dataset": "tiny", "count": 3},
            {"dataset": "files", "folder": "pie"},
            {"images": [
              {"image": "a.png", "prompt": "a cat", "to": "a dog", "id": "first", "kind": "swap", "blend": ["cat", "dog"], "mask": "m.png", "truth": "t.png"},
              {"image": "a.png", "prompt": "a cat", "to": "a cat", "weights": {"cat": 2.5}}
            ]}
          ],
          "models": ["sd-mini", {"model": "big", "name": "big-16", "precision": "bf16", "vaePrecision": "fp32", "variant": "fp16", "prediction": "v",
            "tokenizer": "words", "checkpointing": true, "sequential": true, "offload": true, "vaeTile": 32}],
          "methods": ["null-text", "npi@fixed-point"],
          "paths": ["ddim", "fixed-point"],
          "editors": ["prompt-to-prompt", "masactrl",
            {"editor": "prompt-to-prompt", "name": "refined", "kind": "refine", "cross-replace": 0.4, "self-replace-max-side": 16},
            {"editor": "masactrl", "name": "late", "from-block": "0.75"}],
          "metrics": ["psnr", "masked-ssim", "lpips-alex"],
          "steps": [10, 50],
          "inner": 5,
          "guidance": [1, 7.5],
          "seeds": [0, 1, 2],
          "size": "keep",
          "masks": "pie-official",
          "weights": "published"
        }
        """;

    private static readonly EditDatasets Datasets = new(
        new EditDatasetSource
        {
            Id = "tiny",
            Summary = "two pictures",
            Open = _ => new TinyEdits(),
        },
        new EditDatasetSource
        {
            Id = "files",
            Summary = "a folder",
            NeedsFolder = true,
            Open = d => throw new FileNotFoundException($"{d.Folder} lacks mapping_file.json"),
        }
    );

    [Fact]
    public void Parse_WhatToJsonWrote_IsTheSameStudy()
    {
        StudyPlan plan = Parse(Whole);
        string written = plan.ToJson();
        Assert.Equal(written, Parse(written).ToJson());
        Assert.Equal(["null-text@ddim", "null-text@fixed-point", "npi@fixed-point"], plan.MethodNames);
        Assert.Equal(["sd-mini", "big-16"], plan.Models.Select(m => m.Label));
        Assert.Equal(["prompt-to-prompt", "masactrl", "refined", "late"], plan.Editors.Select(e => e.Label));
        Assert.Equal("0.4", plan.Editors[2].Options["cross-replace"]);
        Assert.Equal(3, plan.Data[0].Count);
        Assert.Equal("pie", plan.Data[1].Folder);
        Assert.Equal(2.5, plan.Data[2].Images[1].Weights["cat"]);
        Assert.Equal([10, 50], plan.Steps);
        Assert.Equal([5], plan.InnerSteps);
        Assert.Equal([1.0, 7.5], plan.Guidance);
        Assert.Equal([0L, 1L, 2L], plan.Seeds);
    }

    [Fact]
    public void Parse_Minimum_HasTheDocumentedDefaults()
    {
        StudyPlan plan = Parse("""{"data": [{"dataset": "tiny"}], "methods": "ddim", "editors": "masactrl", "metrics": "psnr"}""");
        Assert.Equal("sd-mini", Assert.Single(plan.Models).Label);
        Assert.Equal((50, 10, 7.5, 0L), (plan.Steps[0], plan.InnerSteps[0], plan.Guidance[0], plan.Seeds[0]));
        Assert.Equal(["ddim"], plan.MethodNames);
    }

    /// <summary>What is replaced in the study above, and what the message then says: where, what, what to do.</summary>
    [Theory]
    [InlineData("\"seeds\"", "\"sedes\"", "$.sedes", "did you mean 'seeds'?")]
    [InlineData("\"blend\"", "\"blnd\"", "$.data[2].images[0].blnd", "did you mean 'blend'?")]
    [InlineData("\"variant\"", "\"zzz\"", "$.models[1].zzz", "known: model, name")]
    [InlineData("[\"null-text\", \"npi@fixed-point\"]", "[\"null-txt\"]", "$.methods[0]", "no inversion method 'null-txt'")]
    [InlineData("\"npi@fixed-point\"", "\"npi@nowhere\"", "$.methods[1]", "no path 'nowhere'")]
    [InlineData("\"npi@fixed-point\"", "\"null-text\"", "$.methods[1]", "listed twice")]
    [InlineData("[\"null-text\", \"npi@fixed-point\"]", "[]", "$.methods", "the list is empty")]
    [InlineData("[\"ddim\", \"fixed-point\"]", "[\"dim\"]", "$.paths[0]", "choose one of ddim")]
    [InlineData("\"masactrl\"", "\"masa\"", "$.editors[1]", "no editor 'masa'")]
    [InlineData("\"name\": \"late\", ", "", "$.editors", "two are called 'masactrl'")]
    [InlineData("\"from-block\"", "\"form-block\"", "$.editors[3].form-block", "did you mean 'from-block'?")]
    [InlineData("\"from-block\": \"0.75\"", "\"from-block\": \"late\"", "$.editors[3].from-block", "expected number")]
    [InlineData("\"from-block\": \"0.75\"", "\"from-block\": [1]", "$.editors[3].from-block", "got a list")]
    // Settings of prompt-to-prompt are not for others.
    [InlineData("\"from-block\": \"0.75\"", "\"cross-replace\": 0.4", "$.editors[3].cross-replace", "there is no such member")]
    [InlineData("\"kind\": \"refine\"", "\"kind\": \"refined\"", "$.editors[2].kind", "by-word-count, swap, refine")]
    [InlineData("\"cross-replace\": 0.4", "\"cross-replace\": 1.4", "$.editors[2].cross-replace", "between 0 and 1")]
    [InlineData("{\"editor\": \"masactrl\", ", "{", "$.editors[3]", "'editor' is missing")]
    [InlineData("{\"editor\": \"masactrl\", ", "{\"editor\": \"masa\", ", "$.editors[3].editor", "no editor 'masa'")]
    [InlineData("\"masactrl\",\n", "7,\n", "$.editors[1]", "expected an object with editor, name")]
    [InlineData("\"masked-ssim\"", "\"ssimm\"", "$.metrics[1]", "no metric 'ssimm'")]
    [InlineData("\"dataset\": \"tiny\"", "\"dataset\": \"tinny\"", "$.data[0].dataset", "did you mean 'tiny'?")]
    [InlineData(", \"folder\": \"pie\"", "", "$.data[1]", "name their folder in \"folder\"")]
    [InlineData("\"count\": 3", "\"folder\": \"x\"", "$.data[0].folder", "needs no files")]
    [InlineData("\"count\": 3", "\"count\": 0", "$.data[0].count", "from 1")]
    [InlineData("{\"dataset\": \"tiny\", \"count\": 3}", "{}", "$.data[0]", "give either \"dataset\"")]
    [InlineData("\"to\": \"a dog\", ", "", "$.data[2].images[0]", "'to' is missing")]
    [InlineData("\"id\": \"first\"", "\"id\": \"../x\"", "$.data[2].images[0].id", "files are named after it")]
    [InlineData("\"cat\": 2.5", "\"cat\": \"much\"", "$.data[2].images[1].weights.cat", "expected a number, got a text")]
    [InlineData("\"precision\": \"bf16\"", "\"precision\": \"bf8\"", "$.models[1].precision", "must be one of: fp32, bf16, fp16")]
    [InlineData("\"name\": \"big-16\"", "\"name\": \"sd-mini\"", "$.models", "two are called 'sd-mini'")]
    [InlineData("\"steps\": [10, 50]", "\"steps\": [0]", "$.steps[0]", "from 1 to 999, got 0")]
    [InlineData("\"steps\": [10, 50]", "\"steps\": 1.5", "$.steps", "whole numbers")]
    [InlineData("\"guidance\": [1, 7.5]", "\"guidance\": \"high\"", "$.guidance", "expected a list, got a text")]
    [InlineData("\"size\": \"keep\"", "\"size\": \"huge\"", "$.size", "own, keep or as-is")]
    [InlineData("\"pie-official\"", "\"pie\"", "$.masks", "corrected, pie-official")]
    [InlineData(",\n  \"weights\": \"published\"", "", "$.metrics", "lpips-alex needs published weights")]
    [InlineData("\"all-of-it\"", "\"a/b\"", "$.name", "letters, digits")]
    [InlineData("\"name\": \"all-of-it\",", "", null, null)]
    [InlineData("\"checkpointing\": true", "\"checkpointing\": 1", "$.models[1].checkpointing", "true or false, got the number 1")]
    [InlineData("\"offload\": true", "\"offload\": true, \"offload\": true", "'offload' appears twice", "not JSON")]
    public void Parse_OneMistake_IsNamedWithItsPlaceAndWhatIsAllowed(string of, string to, string? where, string? what)
    {
        string text = Whole.ReplaceLineEndings("\n");
        Assert.Contains(of, text, StringComparison.Ordinal);
        text = text.Replace(of, to, StringComparison.Ordinal);
        if (where is null)
        {
            Assert.Equal("study", Parse(text).Name);
            return;
        }
        StudyException wrong = Assert.Throws<StudyException>(() => Parse(text));
        Assert.Contains(where, wrong.Message, StringComparison.Ordinal);
        Assert.Contains(what!, wrong.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("Parameter", wrong.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', wrong.Message);
    }

    [Fact]
    public void Parse_SeveralMistakes_AreAllNamed()
    {
        StudyException wrong = Assert.Throws<StudyException>(() => Parse("""{"data": 5, "methods": ["x"], "editrs": [], "metrics": ["psnr"]}"""));
        foreach (string part in (string[])["$.data: expected a list", "$.methods[0]", "$.editrs", "'editors' is missing"])
            Assert.Contains(part, wrong.Message, StringComparison.Ordinal);
        Assert.Contains("expected an object", Assert.Throws<StudyException>(() => Parse("[]")).Message, StringComparison.Ordinal);
        Assert.Contains("not JSON", Assert.Throws<StudyException>(() => Parse("{")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void OpenData_MissingPictures_AreAllListedWithTheirPlaces()
    {
        string folder = Directory.CreateTempSubdirectory("nulltext-study-").FullName;
        try
        {
            new RgbImage(8, 8, new byte[192]).SavePng(Path.Combine(folder, "a.png"));
            StudyPlan plan = Parse(Whole, folder) with { Data = [Parse(Whole, folder).Data[2]] };
            StudyException wrong = Assert.Throws<StudyException>(() => Study.OpenData(plan, Datasets));
            foreach (
                string part in (string[])["$.data[0].images[0].mask", Path.Combine(folder, "m.png"), "images[0].truth", "is missing", "put the files there"]
            )
                Assert.Contains(part, wrong.Message, StringComparison.Ordinal);
            foreach (string name in (string[])["m.png", "t.png"])
                File.Copy(Path.Combine(folder, "a.png"), Path.Combine(folder, name));
            IEditDataset data = Assert.Single(Study.OpenData(plan, Datasets));
            Assert.Equal(["first", "a"], data.Tasks.Select(t => t.Id));
            Assert.Equal(data.PictureHash(data.Tasks[0]), data.PictureHash(data.Tasks[1]));
            Assert.Equal(0, data.Mask(data.Tasks[0])!.Count);
            Assert.Null(data.Mask(data.Tasks[1]));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void OpenData_DataSetThatCannotBeOpened_IsNamedWithItsPlace()
    {
        StudyPlan plan = Parse(Whole) with { Data = [Parse(Whole).Data[1]] };
        StudyException wrong = Assert.Throws<StudyException>(() => Study.OpenData(plan, Datasets));
        Assert.Contains("'files' ($.data[0]", wrong.Message, StringComparison.Ordinal);
        Assert.Contains("lacks mapping_file.json", wrong.Message, StringComparison.Ordinal);
    }

    private static StudyPlan Parse(string text, string folder = "") => StudyPlan.Parse(Encoding.UTF8.GetBytes(text), folder, Datasets);
}
