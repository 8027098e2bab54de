using NullTextResearch.Models;
using NullTextResearch.Weights;
using Xunit;

namespace NullTextResearch.Tests.Models;

/// <summary>A cache laid out by hand as the Python hub library documents it.</summary>
public sealed class ModelCacheTests : IDisposable
{
    private const string First = "1111111111111111111111111111111111111111";
    private const string Second = "2222222222222222222222222222222222222222";
    private static readonly string[] Parts =
    [
        "model_index.json",
        "unet/config.json",
        "vae/config.json",
        "text_encoder/config.json",
        "tokenizer/vocab.json",
        "scheduler/scheduler_config.json",
    ];
    private readonly string _root = Directory.CreateTempSubdirectory("nulltext-cache-").FullName;
    private readonly ModelCache _cache;

    public ModelCacheTests() => _cache = new ModelCache(_root);

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Theory]
    [InlineData("/a/hub", "HF_HUB_CACHE=/a/hub", "HF_HOME=/b")]
    [InlineData("/old", "HUGGINGFACE_HUB_CACHE=/old", "HF_HOME=/b")]
    [InlineData("/b/hub", "HF_HOME=/b", "XDG_CACHE_HOME=/c")]
    [InlineData("/c/huggingface/hub", "XDG_CACHE_HOME=/c", "HF_HOME=")]
    [InlineData("/home/me/.cache/huggingface/hub")]
    [InlineData("/home/me/models/hub", "HF_HOME=~/models")]
    [InlineData("/big/hf/hub", "HF_HOME=$DISK/hf", "DISK=/big")]
    [InlineData("/big1/hub", "HF_HUB_CACHE=${DISK}1/hub", "DISK=/big")]
    public void FromEnvironment_Variables_CountInPythonsOrder(string expected, params string[] variables)
    {
        Dictionary<string, string> set = variables.Append("HOME=/home/me").Select(v => v.Split('=', 2)).ToDictionary(p => p[0], p => p[1]);
        Assert.Equal(Path.GetFullPath(expected), ModelCache.FromEnvironment(set.GetValueOrDefault).Root);
    }

    [Fact]
    public void Resolve_CachedModel_IsItsSnapshot()
    {
        Add("a/b", First, "main");
        string snapshot = _cache.Resolve("a/b");
        Assert.Equal(Path.Combine(_root, "models--a--b", "snapshots", First), snapshot);
        Assert.Equal("a/b", ModelCache.NameOf(snapshot)!.Id);
        Assert.Equal(snapshot, _cache.Resolve($"a/b@{First}"));
        Assert.Equal(snapshot, _cache.Resolve("a/b@1111111"));
    }

    [Fact]
    public void Resolve_FolderOfThatName_ComesFirst()
    {
        Add("a/b", First, "main");
        string folder = Directory.CreateDirectory(Path.Combine(_root, "here", "there")).FullName;
        Assert.Equal(folder, _cache.Resolve(folder));
        Assert.Null(ModelCache.NameOf(folder));
    }

    [Theory]
    [InlineData("nowhere")]
    [InlineData("/nowhere/at/all")]
    [InlineData("models/sd.safetensors")]
    [InlineData("models/sd.ckpt")]
    public void Resolve_NoNameAndNotThere_IsLeftToTheLoader(string path) => Assert.Equal(path, _cache.Resolve(path));

    [Fact]
    public void Resolve_UnknownModel_GivesTheCommand()
    {
        ModelNotFoundException e = Assert.Throws<ModelNotFoundException>(() => _cache.Resolve("a/b"));
        Assert.EndsWith("Download it with: nulltext model pull a/b", e.Message, StringComparison.Ordinal);
        Assert.Contains(_root, e.Message, StringComparison.Ordinal);
        Assert.EndsWith(
            "nulltext model pull a/b --revision fp16",
            Assert.Throws<ModelNotFoundException>(() => _cache.Resolve("a/b@fp16")).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Resolve_OtherRevisionOnly_NamesIt()
    {
        Add("a/b", First, "fp16");
        Assert.Contains("available: fp16", Assert.Throws<ModelNotFoundException>(() => _cache.Resolve("a/b")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Resolve_PartOnly_SaysWhatIsMissing()
    {
        Add("a/b", First, "main", Parts.Where(p => !p.StartsWith("unet/", StringComparison.Ordinal) && !p.StartsWith("vae/", StringComparison.Ordinal)));
        Assert.Contains("lacks unet, vae", Assert.Throws<ModelNotFoundException>(() => _cache.Resolve("a/b")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Resolve_UnfinishedDownload_SaysHowFarItIs()
    {
        Directory.CreateDirectory(Path.Combine(_root, "models--a--b", "blobs"));
        using (FileStream file = File.Create(Path.Combine(_root, "models--a--b", "blobs", new string('a', 64) + ".incomplete")))
            file.SetLength(1_230_000_000);
        Assert.Contains("not finished (1.23 GB", Assert.Throws<ModelNotFoundException>(() => _cache.Resolve("a/b")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_UnknownModel_GivesTheCommand()
    {
        ModelNotFoundException e = Assert.Throws<ModelNotFoundException>(() => StableDiffusion.Load("nobody-has/such-a-model"));
        Assert.Contains("nulltext model pull nobody-has/such-a-model", e.Message, StringComparison.Ordinal);
        Assert.Throws<ModelFormatException>(() => StableDiffusion.Load("nowhere"));
    }

    [Fact]
    public void List_SharedCache_ToldApartAndSizedOnce()
    {
        Add("a/b", First, "main");
        Add("a/b", Second, "new");
        Add("x/language-model", First, "main", ["config.json"]);
        Directory.CreateDirectory(Path.Combine(_root, "datasets--x--y", "snapshots"));
        IReadOnlyList<CachedModel> models = _cache.List();
        Assert.Equal(["a/b", "x/language-model"], models.Select(m => m.Name.Id));
        Assert.Equal([true, false], models.Select(m => m.IsPipeline));
        Assert.Equal([First, Second], models[0].Revisions.Select(r => r.Commit));
        Assert.Equal(["main"], models[0].Revisions[0].References);
        // Both revisions share their contents.
        Assert.Equal(models[0].Revisions[0].Bytes, models[0].Bytes);
        Assert.Equal(Parts.Sum(p => p.Length), models[0].Bytes);
    }

    [Fact]
    public void Remove_OneRevision_KeepsWhatTheOtherNeeds()
    {
        Add("a/b", First, "main");
        Add("a/b", Second, "new", [.. Parts, "unet/more.json"]);
        Assert.Equal("unet/more.json".Length, _cache.Remove(ModelName.Parse("a/b@new")));
        CachedRevision left = Assert.Single(Assert.Single(_cache.List()).Revisions);
        Assert.Equal(First, left.Commit);
        Assert.All(Parts, p => Assert.Equal(p, File.ReadAllText(Path.Combine(left.Folder, p))));
        Assert.Throws<ModelNotFoundException>(() => _cache.Remove(ModelName.Parse("a/b@new")));
    }

    [Fact]
    public void Remove_Model_LeavesTheOthers()
    {
        Add("a/b", First, "main");
        Add("a/c", First, "main");
        Assert.Equal(Parts.Sum(p => p.Length), _cache.Remove(ModelName.Parse("a/b")));
        Assert.Equal("a/c", Assert.Single(_cache.List()).Name.Id);
        Assert.Contains(
            "nulltext model list",
            Assert.Throws<ModelNotFoundException>(() => _cache.Remove(ModelName.Parse("a/b"))).Message,
            StringComparison.Ordinal
        );
    }

    private void Add(string model, string commit, string reference, IEnumerable<string>? files = null)
    {
        string folder = Path.Combine(_root, "models--" + model.Replace("/", "--", StringComparison.Ordinal));
        Directory.CreateDirectory(Path.Combine(folder, "blobs"));
        Directory.CreateDirectory(Path.Combine(folder, "refs"));
        File.WriteAllText(Path.Combine(folder, "refs", reference), commit);
        foreach (string file in files ?? Parts)
        {
            string name = Convert.ToHexStringLower(System.Security.Cryptography.SHA1.HashData(System.Text.Encoding.UTF8.GetBytes(file)));
            File.WriteAllText(Path.Combine(folder, "blobs", name), file);
            string path = Path.Combine(folder, "snapshots", commit, file);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.CreateSymbolicLink(path, Path.GetRelativePath(Path.GetDirectoryName(path)!, Path.Combine(folder, "blobs", name)));
        }
    }
}
