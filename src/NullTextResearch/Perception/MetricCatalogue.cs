using NullTextResearch.Metrics;

namespace NullTextResearch.Perception;

/// <summary>The library's metrics of pictures; the command line, the documentation and the tests read this list.</summary>
public static class MetricCatalogue
{
    private const MetricNeeds Pair = MetricNeeds.Reference,
        Masked = MetricNeeds.Reference | MetricNeeds.Mask;

    private const string Bytes = "0 to 255",
        Unit = "0 to 1";

    /// <summary>All metrics.</summary>
    public static IReadOnlyList<Metric> All { get; } =
    [
        new()
        {
            Id = "psnr",
            Summary = "peak signal-to-noise ratio: mean squared error in decibels below the largest possible one",
            Source = "Mokady et al. 2023, Fig. 4",
            Direction = MetricDirection.Higher,
            Least = 0,
            Most = double.PositiveInfinity,
            Unit = "dB",
            PixelScale = Unit,
            Needs = Pair,
            EqualTo = "scikit-image, to 1e-6",
            Implementation = typeof(Psnr),
            Compute = (m, _) => Psnr.Of(m.Image, m.Reference!),
        },
        new()
        {
            Id = "mse",
            Summary = "mean squared error over pixels and channels",
            Source = "PIE-Bench, Ju et al. 2024",
            Direction = MetricDirection.Lower,
            Least = 0,
            Most = 1,
            PixelScale = Unit,
            Needs = Pair,
            EqualTo = "scikit-image, to 1e-6",
            Implementation = typeof(Mse),
            Compute = (m, _) => Mse.Of(m.Image, m.Reference!),
        },
        new()
        {
            Id = "ssim",
            Summary = "structural similarity, Gaussian window of 11 pixels, where the whole window lies inside the picture",
            Source = "Wang et al. 2004",
            Direction = MetricDirection.Higher,
            Least = -1,
            Most = 1,
            PixelScale = Bytes,
            Needs = Pair,
            EqualTo = "scikit-image, to 1e-6",
            Implementation = typeof(Ssim),
            Compute = (m, _) => Ssim.Of(m.Image, m.Reference!),
        },
        new()
        {
            Id = "ms-ssim",
            Summary = "multi-scale structural similarity, as many of five scales as the size allows",
            Source = "Wang, Simoncelli and Bovik 2003",
            Direction = MetricDirection.Higher,
            Least = 0,
            Most = 1,
            PixelScale = Bytes,
            Needs = Pair,
            EqualTo = "its formula in numpy, to 1e-12",
            Implementation = typeof(MultiScaleSsim),
            Compute = (m, _) => MultiScaleSsim.Of(m.Image, m.Reference!),
        },
        new()
        {
            Id = "multi-scale-distance",
            Summary = "one minus the mean structural similarity over an image pyramid; stands in for a learned distance where there are no weights",
            Source = "this project",
            Direction = MetricDirection.Lower,
            Least = 0,
            Most = 2,
            PixelScale = Bytes,
            Needs = Pair,
            EqualTo = "property-tested",
            Implementation = typeof(MultiScaleDistance),
            Compute = (m, _) => MultiScaleDistance.Of(m.Image, m.Reference!),
        },
        new()
        {
            Id = "masked-psnr",
            Summary = "peak signal-to-noise ratio inside a mask",
            Source = "PIE-Bench, Ju et al. 2024",
            Direction = MetricDirection.Higher,
            Least = 0,
            Most = double.PositiveInfinity,
            Unit = "dB",
            PixelScale = Unit,
            Needs = Masked,
            HasModes = true,
            EqualTo = "PIE-Bench's formula; property-tested",
            Implementation = typeof(MaskedPsnr),
            Compute = (m, _) => MaskedPsnr.Of(m.Image, m.Reference!, m.Mask!, m.Mode),
        },
        new()
        {
            Id = "masked-mse",
            Summary = "mean squared error inside a mask",
            Source = "PIE-Bench, Ju et al. 2024",
            Direction = MetricDirection.Lower,
            Least = 0,
            Most = 1,
            PixelScale = Unit,
            Needs = Masked,
            HasModes = true,
            EqualTo = "PIE-Bench's formula; property-tested",
            Implementation = typeof(MaskedMse),
            Compute = (m, _) => MaskedMse.Of(m.Image, m.Reference!, m.Mask!, m.Mode),
        },
        new()
        {
            Id = "masked-ssim",
            Summary = "structural similarity inside a mask",
            Source = "PIE-Bench, Ju et al. 2024",
            Direction = MetricDirection.Higher,
            Least = -1,
            Most = 1,
            PixelScale = Bytes,
            Needs = Masked,
            HasModes = true,
            EqualTo = "PIE-Bench's formula; property-tested",
            Implementation = typeof(MaskedSsim),
            Compute = (m, _) => MaskedSsim.Of(m.Image, m.Reference!, m.Mask!, m.Mode),
        },
        .. Perceptual("alex", "AlexNet", MetricNetwork.LpipsAlex),
        .. Perceptual("vgg", "VGG-16", MetricNetwork.LpipsVgg),
        .. Perceptual("squeeze", "SqueezeNet 1.1, as in PIE-Bench", MetricNetwork.LpipsSqueeze),
        new()
        {
            Id = "clip-text",
            Summary = "how well the picture matches its text: 100 times the cosine, clipped at 0",
            Source = "CLIPScore, Hessel et al. 2021",
            Direction = MetricDirection.Higher,
            Least = 0,
            Most = 100,
            PixelScale = "0 to 1, normalised by CLIP's mean and deviation",
            Needs = MetricNeeds.Text,
            Network = MetricNetwork.Clip,
            EqualTo = Golden("clip"),
            Implementation = typeof(ClipSimilarity),
            Compute = (m, networks) => networks!.Get<ClipSimilarity>(MetricNetwork.Clip).OfText(m.Image, m.Text!),
        },
        new()
        {
            Id = "masked-clip-text",
            Summary = "the same for the picture with black outside the mask: PIE-Bench's CLIP similarity of the edited region",
            Source = "PIE-Bench, Ju et al. 2024",
            Direction = MetricDirection.Higher,
            Least = 0,
            Most = 100,
            PixelScale = "0 to 1, normalised by CLIP's mean and deviation",
            Needs = MetricNeeds.Text | MetricNeeds.Mask,
            Network = MetricNetwork.Clip,
            EqualTo = Golden("clip"),
            Implementation = typeof(ClipSimilarity),
            Compute = (m, networks) =>
                m.Mask!.Count == 0 ? double.NaN : networks!.Get<ClipSimilarity>(MetricNetwork.Clip).OfText(m.Mask.Apply(m.Image), m.Text!),
        },
        new()
        {
            Id = "clip-image",
            Summary = "cosine of both pictures' CLIP features",
            Source = "Radford et al. 2021",
            Direction = MetricDirection.Higher,
            Least = -1,
            Most = 1,
            PixelScale = "0 to 1, normalised by CLIP's mean and deviation",
            Needs = Pair,
            Network = MetricNetwork.Clip,
            EqualTo = Golden("clip"),
            Implementation = typeof(ClipSimilarity),
            Compute = (m, networks) => networks!.Get<ClipSimilarity>(MetricNetwork.Clip).OfImages(m.Image, m.Reference!),
        },
        new()
        {
            Id = "clip-direction",
            Summary = "cosine between the change from reference to picture and the change of their texts",
            Source = "StyleGAN-NADA, Gal et al. 2021",
            Direction = MetricDirection.Higher,
            Least = -1,
            Most = 1,
            PixelScale = "0 to 1, normalised by CLIP's mean and deviation",
            Needs = Pair | MetricNeeds.Text | MetricNeeds.ReferenceText,
            Network = MetricNetwork.Clip,
            IsSymmetric = false,
            EqualTo = Golden("clip"),
            Implementation = typeof(ClipSimilarity),
            Compute = (m, networks) => networks!.Get<ClipSimilarity>(MetricNetwork.Clip).OfDirection(m.Reference!, m.Image, m.ReferenceText!, m.Text!),
        },
        new()
        {
            Id = "structure",
            Summary = "mean squared difference of the self-similarities of DINO's keys; tables often give it times 1000",
            Source = "Tumanyan et al. 2022",
            Direction = MetricDirection.Lower,
            Least = 0,
            Most = 4,
            PixelScale = "0 to 1, normalised by ImageNet's mean and deviation; as in PIE-Bench 0 to 255",
            Needs = Pair,
            Network = MetricNetwork.Dino,
            HasModes = true,
            EqualTo = Golden("dino"),
            Implementation = typeof(DinoStructure),
            Compute = (m, networks) =>
                networks!
                    .Get<DinoStructure>(MetricNetwork.Dino)
                    .Of(m.Image, m.Reference!, m.Mode == MaskedMode.PieOfficial ? StructureMode.PieOfficial : StructureMode.Corrected),
        },
    ];

    /// <summary>Finds a metric by its id.</summary>
    /// <param name="id">Such as <c>psnr</c>.</param>
    /// <exception cref="ArgumentException">There is no such metric; the message lists the available ones.</exception>
    public static Metric Find(string id) =>
        All.FirstOrDefault(m => m.Id == id)
        ?? throw new ArgumentException($"There is no metric '{id}'; available: {string.Join(", ", All.Select(m => m.Id))}.", nameof(id));

    /// <summary>The catalogue as text, for a console.</summary>
    public static string ToText() =>
        string.Join(
            '\n',
            All.Select(m =>
                $"{m.Id, -22}{m.Summary}\n{"", -22}{m.Source}\n{"", -22}{m.Range}, {(m.Direction == MetricDirection.Higher ? "higher" : "lower")} is better; "
                + $"pixels {m.PixelScale}{(m.Network is { } n ? $"; weights of {n}" : "")}"
            )
        );

    private static IEnumerable<Metric> Perceptual(string name, string backbone, MetricNetwork network)
    {
        Metric plain = new()
        {
            Id = $"lpips-{name}",
            Summary = $"learned perceptual distance, features of {backbone}",
            Source = "Zhang et al. 2018",
            Direction = MetricDirection.Lower,
            Least = 0,
            Most = double.PositiveInfinity,
            PixelScale = "-1 to 1, then shifted and scaled as in LPIPS 0.1",
            Needs = Pair,
            Network = network,
            EqualTo = Golden("lpips"),
            Implementation = typeof(Lpips),
            Compute = (m, networks) => networks!.Get<Lpips>(network).Of(m.Image, m.Reference!),
        };
        yield return plain;
        yield return plain with
        {
            Id = $"masked-lpips-{name}",
            Summary = plain.Summary + ", inside a mask",
            Source = "PIE-Bench, Ju et al. 2024",
            Needs = Masked,
            HasModes = true,
            EqualTo = "PIE-Bench's formula; property-tested",
            Implementation = typeof(MaskedLpips),
            Compute = (m, networks) => MaskedLpips.Of(networks!.Get<Lpips>(network), m.Image, m.Reference!, m.Mask!, m.Mode),
        };
    }

    private static string Golden(string file) => $"the original code on formula weights (methods/{file}_f32.safetensors)";
}
