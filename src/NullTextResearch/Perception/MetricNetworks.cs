using NullTextResearch.Weights;
using static TorchSharp.torch;

namespace NullTextResearch.Perception;

/// <summary>
/// The networks of metrics, from one folder; each is loaded when it is first used. Owns them. Several threads may use one instance concurrently.
/// </summary>
/// <remarks>
/// The folder holds <c>lpips</c> (see <see cref="Lpips.Load"/>: torchvision's network and the authors' linear layers of one backbone or several), <c>clip</c>
/// (see <see cref="ClipSimilarity.Load"/>) and <c>dino</c> (see <see cref="DinoStructure.Load"/>), or some of them.
/// </remarks>
public sealed class MetricNetworks : IDisposable
{
    /// <summary>Where the networks lie in their folder.</summary>
    internal static readonly string[] Folders = ["clip", "dino", "lpips"];

    private readonly Dictionary<MetricNetwork, Lazy<IDisposable>> _networks = [];
    private bool _isDisposed;

    /// <summary>Takes networks that are loaded already.</summary>
    /// <param name="lpips">LPIPS, at most one per backbone; this object takes ownership.</param>
    /// <param name="clip">CLIP, with a tokenizer; this object takes ownership. Null if there is none.</param>
    /// <param name="dino">DINO; this object takes ownership. Null if there is none.</param>
    /// <exception cref="ArgumentException">Two are of the same backbone.</exception>
    public MetricNetworks(IEnumerable<Lpips>? lpips = null, ClipSimilarity? clip = null, DinoStructure? dino = null)
    {
        foreach (Lpips one in lpips ?? [])
            _networks.Add(Of(one.Model.Backbone), new Lazy<IDisposable>(one));
        if (clip is not null)
            _networks.Add(MetricNetwork.Clip, new Lazy<IDisposable>(clip));
        if (dino is not null)
            _networks.Add(MetricNetwork.Dino, new Lazy<IDisposable>(dino));
    }

    /// <summary>Opens a folder of published weights; nothing is read before it is used.</summary>
    /// <param name="folder">With <c>lpips</c>, <c>clip</c>, <c>dino</c>, or some of them.</param>
    /// <param name="device">Where the networks run; null means the CPU.</param>
    /// <exception cref="ModelFormatException">There is no such folder, or it holds none of them.</exception>
    public static MetricNetworks Open(string folder, Device? device = null)
    {
        const string Expected = "a folder with lpips/, clip/ or dino/, each with the published files of that network as .safetensors";
        if (!PublishedWeights.IsFolder(folder, Expected))
            throw new ModelFormatException($"{folder} is a file. Expected: {Expected}.");
        MetricNetworks networks = new();
        string lpips = Path.Combine(folder, "lpips"),
            clip = Path.Combine(folder, "clip"),
            dino = Path.Combine(folder, "dino");
        if (Directory.Exists(lpips))
        {
            foreach (LpipsBackbone backbone in Enum.GetValues<LpipsBackbone>())
            {
                if (Lpips.IsIn(lpips, backbone))
                    networks._networks.Add(Of(backbone), new Lazy<IDisposable>(() => Lpips.Load(lpips, backbone, device)));
            }
        }
        if (Directory.Exists(clip))
            networks._networks.Add(MetricNetwork.Clip, new Lazy<IDisposable>(() => ClipSimilarity.Load(clip, device)));
        if (Directory.Exists(dino))
            networks._networks.Add(MetricNetwork.Dino, new Lazy<IDisposable>(() => DinoStructure.Load(dino, device: device)));
        return networks._networks.Count > 0 ? networks : throw new ModelFormatException($"{folder} holds no weights of a metric. Expected: {Expected}.");
    }

    /// <summary>Whether a network's weights are there.</summary>
    /// <param name="network">Which.</param>
    public bool Has(MetricNetwork network) => _networks.ContainsKey(network);

    /// <summary>Frees the networks that were loaded.</summary>
    public void Dispose()
    {
        _isDisposed = true;
        foreach (Lazy<IDisposable> network in _networks.Values.Where(n => n.IsValueCreated))
            network.Value.Dispose();
    }

    /// <summary>A network, loaded now if it was not.</summary>
    /// <exception cref="ModelFormatException">Its files are damaged or those of another network.</exception>
    internal T Get<T>(MetricNetwork network)
        where T : IDisposable
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        return (T)_networks[network].Value;
    }

    private static MetricNetwork Of(LpipsBackbone backbone) =>
        backbone switch
        {
            LpipsBackbone.Alex => MetricNetwork.LpipsAlex,
            LpipsBackbone.Vgg => MetricNetwork.LpipsVgg,
            LpipsBackbone.Squeeze => MetricNetwork.LpipsSqueeze,
            _ => throw new ArgumentOutOfRangeException(nameof(backbone), backbone, "not a backbone"),
        };
}
