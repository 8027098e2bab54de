using System.Text;
using System.Text.Json.Nodes;
using NullTextResearch.Benchmarks;
using NullTextResearch.Images;
using NullTextResearch.Metrics;
using NullTextResearch.TestKit;
using Xunit;

namespace NullTextResearch.Tests.Benchmarks;

[LeavesNoTensors]
public sealed class PieDatasetTests : IDisposable
{
    private const int Side = 32;
    private readonly string _folder = Directory.CreateTempSubdirectory("nulltext-pie-").FullName;
    private readonly IReadOnlyList<(string Id, EditTask Task)> _written;

    public PieDatasetTests() => _written = PieFolder.Write(_folder, side: Side);

    private string Mapping => Path.Combine(_folder, "mapping_file.json");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Read_WrittenDataSet_GivesItsTasksPicturesAndMasks()
    {
        PieDataset pie = new(_folder, Side);
        ToyEditDataset toys = new(14, Side);
        Assert.Equal(_written.Select(w => w.Id), pie.Tasks.Select(t => t.Id));
        Assert.Empty(pie.UnmatchedBlendWords);
        foreach (((_, EditTask toy), EditTask task) in _written.Zip(pie.Tasks))
        {
            // The brackets are gone.
            Assert.Equal((toy.SourcePrompt, toy.TargetPrompt), (task.SourcePrompt, task.TargetPrompt));
            Assert.Equal(toy.BlendWords, task.BlendWords);
            Assert.Equal(toy.BlendWords.Count == 0 ? [] : [toy.BlendWords[0], toy.BlendWords[^1]], task.BlendPair);
            Assert.Empty(task.Weights);
            Assert.Equal(toys.Picture(toy), pie.Picture(task));
            Assert.Equal(toys.PictureHash(toy), pie.PictureHash(task));
            Assert.Null(pie.Truth(task));
            RegionMask? original = toys.Mask(toy),
                mask = pie.Mask(task);
            Assert.Equal(original is null, mask is null);
            if (mask is null)
                continue;
            for (int i = 0; i < Side * Side; i++)
            {
                bool frame = i % Side is 0 or Side - 1 || i / Side is 0 or Side - 1;
                Assert.Equal(original![i] || frame, mask[i]);
            }
        }

        Assert.Equal("1_change_object", pie.Tasks[0].Kind);
        Assert.Contains("9_change_style", pie.Tasks.Select(t => t.Kind));
    }

    [Fact]
    public void Fingerprint_DependsOnMappingAndPictures()
    {
        string before = new PieDataset(_folder, Side).Fingerprint;
        Assert.Equal(before, new PieDataset(_folder, Side).Fingerprint);
        string picture = Directory.GetFiles(_folder, "*.png", SearchOption.AllDirectories)[0];
        File.AppendAllText(picture, "x");
        string after = new PieDataset(_folder, Side).Fingerprint;
        Assert.NotEqual(before, after);
        File.AppendAllText(Mapping, "\n");
        Assert.NotEqual(after, new PieDataset(_folder, Side).Fingerprint);
    }

    [Fact]
    public void Reads_FromManyThreads_AreEqual()
    {
        PieDataset pie = new(_folder, Side);
        string[] alone = [.. pie.Tasks.Select(new PieDataset(_folder, Side).PictureHash)];
        string[][] together = new string[8][];
        Parallel.For(0, together.Length, i => together[i] = [.. pie.Tasks.Select(pie.PictureHash)]);
        Assert.All(together, t => Assert.Equal(alone, t));
    }

    [Fact]
    public void Read_RunBeyondTheEnd_IsClipped_AndWordsInNoPromptAreLeftOut()
    {
        Change(item =>
        {
            item["mask"] = new JsonArray((Side * Side) - 40, 1000);
            item["blended_word"] = $"{item["blended_word"]} zebra";
        });
        PieDataset pie = new(_folder, Side);
        RegionMask mask = pie.Mask(pie.Tasks[0])!;
        // The frame, and seven pixels of the row above it: the eighth belongs to the frame.
        Assert.Equal((4 * (Side - 1)) + 7, mask.Count);
        Assert.Equal(["zebra"], pie.UnmatchedBlendWords[pie.Tasks[0].Id]);
        Assert.Equal(_written[0].Task.BlendWords, pie.Tasks[0].BlendWords);
    }

    // As many numbers as 700 detailed masks may have: more than any other JSON file may.
    [Fact]
    public void Read_MoreThanAMillionNumbers_IsAccepted()
    {
        string json = File.ReadAllText(Mapping);
        int start = json.IndexOf("\"mask\":[", StringComparison.Ordinal) + "\"mask\":".Length;
        string runs = string.Join(',', Enumerable.Repeat("40,2", (StrictJson.MostValues / 2) + 1));
        File.WriteAllText(Mapping, $"{json[..start]}[{runs}]{json[(json.IndexOf(']', start) + 1)..]}");
        PieDataset pie = new(_folder, Side);
        Assert.Equal((4 * (Side - 1)) + 2, pie.Mask(pie.Tasks[0])!.Count);
    }

    [Fact]
    public void Read_NumberAsType_IsAccepted()
    {
        Change(item => item["editing_type_id"] = 0);
        Assert.Equal("0_random", new PieDataset(_folder, Side).Tasks[0].Kind);
    }

    public static TheoryData<string, string?, string> Wrong =>
        new()
        {
            { "image_path", "7", "].image_path: expected a text, got a number" },
            { "image_path", "\"../secret.png\"", "].image_path: '../secret.png' is not a path inside" },
            { "image_path", "\"/etc/passwd\"", "].image_path: '/etc/passwd' is not a path inside" },
            { "original_prompt", null, "the member 'original_prompt' is missing" },
            { "editing_prompt", "[\"a\"]", "].editing_prompt: expected a text, got an array" },
            { "blended_word", "null", "].blended_word: expected a text, got null" },
            { "editing_type_id", "\"10\"", "].editing_type_id: '10' is no kind of edit: expected \"0\" to \"9\" (0_random," },
            { "editing_type_id", "{}", "].editing_type_id: expected a text, got an object" },
            { "mask", "\"1 2\"", "].mask: expected an array" },
            { "mask", "[1]", "].mask: expected pairs" },
            { "mask", "[1, 2, 3, 4.5]", "].mask[3]: expected a whole number, got 4.5" },
            { "mask", "[1, -2]", "].mask[1]: the number is -2" },
            { "mask", "[1, 2, 1024, 1]", "].mask[2]: a run starts at 1024, but a grid of 32 x 32 ends at 1023" },
        };

    [Theory]
    [MemberData(nameof(Wrong))]
    public void Read_WrongMember_SaysWhereAndWhat(string member, string? json, string expected)
    {
        Change(item =>
        {
            item.Remove(member);
            if (json is not null)
                item[member] = JsonNode.Parse(json);
        });
        string message = Assert.Throws<UnreadableFileException>(() => new PieDataset(_folder, Side)).Message;
        Assert.Contains(expected, message, StringComparison.Ordinal);
        Assert.Contains(Mapping, message, StringComparison.Ordinal);
        Assert.Contains($"$['{_written[0].Id}']", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[]", "expected an object with one member per edit, got an array")]
    [InlineData("{}", "there is no edit in it")]
    [InlineData("{\"a\": 1}", "$['a']: expected an object, got a number")]
    [InlineData("{\"a b\": {}}", "$['a b']: an id may have letters")]
    [InlineData("{\"a\": {}, \"a\": {}}", "the name 'a' appears twice")]
    [InlineData("{\"a\": ", "is not a valid mapping")]
    public void Read_WrongMapping_SaysWhat(string json, string expected)
    {
        File.WriteAllText(Mapping, json, Encoding.UTF8);
        Assert.Contains(expected, Assert.Throws<UnreadableFileException>(() => new PieDataset(_folder, Side)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_IdsThatDifferInCaseOnly_AreRefused()
    {
        JsonObject mapping = JsonNode.Parse(File.ReadAllText(Mapping))!.AsObject();
        mapping["a1"] = mapping[_written[0].Id]!.DeepClone();
        mapping["A1"] = mapping[_written[0].Id]!.DeepClone();
        File.WriteAllText(Mapping, mapping.ToJsonString());
        Assert.Contains("$['A1']: another id", Assert.Throws<UnreadableFileException>(() => new PieDataset(_folder, Side)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_MissingFiles_NamesUpToFiveAndTheirNumber()
    {
        Directory.Delete(Path.Combine(_folder, "annotation_images"), recursive: true);
        string message = Assert.Throws<UnreadableFileException>(() => new PieDataset(_folder, Side)).Message;
        Assert.Contains("names 12 pictures", message, StringComparison.Ordinal);
        Assert.Contains("and 7 more", message, StringComparison.Ordinal);
        Assert.Equal(5, message.Split(".png").Length - 1);
        File.Delete(Mapping);
        Assert.Contains(
            "mapping_file.json is missing",
            Assert.Throws<UnreadableFileException>(() => new PieDataset(_folder, Side)).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Picture_OtherSizeOrDamaged_SaysWhichFile()
    {
        PieDataset pie = new(_folder, Side + 1);
        Assert.Contains("32 x 32 pixels", Assert.Throws<ImageFileException>(() => pie.Picture(pie.Tasks[0])).Message, StringComparison.Ordinal);
        string path = Directory.GetFiles(_folder, $"{pie.Tasks[1].Id}.png", SearchOption.AllDirectories).Single();
        File.WriteAllText(path, "not a picture");
        Assert.Contains(path, Assert.Throws<ImageFileException>(() => pie.Picture(pie.Tasks[1])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Picture_TaskOfAnotherDataSet_IsRefused()
    {
        PieDataset pie = new(_folder, Side);
        Assert.Throws<ArgumentException>(() => pie.Picture(_written[0].Task));
        Assert.Throws<ArgumentException>(() => pie.Truth(_written[0].Task));
    }

    private void Change(Action<JsonObject> change)
    {
        JsonObject mapping = JsonNode.Parse(File.ReadAllText(Mapping))!.AsObject();
        change(mapping[_written[0].Id]!.AsObject());
        File.WriteAllText(Mapping, mapping.ToJsonString());
    }
}
