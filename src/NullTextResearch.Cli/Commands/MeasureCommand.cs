using System.CommandLine;
using System.CommandLine.Completions;
using System.Text.Json;
using System.Text.Json.Serialization;
using NullTextResearch.Cli.Running;
using NullTextResearch.Images;
using NullTextResearch.Metrics;
using NullTextResearch.Perception;
using NullTextResearch.Tensors;

namespace NullTextResearch.Cli.Commands;

/// <summary>`nulltext measure`: the catalogue's metrics of one picture.</summary>
internal static class MeasureCommand
{
    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        // PSNR of equal pictures is infinite.
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    public static Command Create()
    {
        Argument<string> image = new("IMAGE") { Description = "The picture to measure: a reconstruction, an edit.", HelpName = "IMAGE" };
        Option<string?> reference = new("--reference") { Description = "The picture to compare it with, of the same size." };
        Option<string?> mask = new("--mask") { Description = "A picture of the same size, white where pixels count." };
        Option<bool> outside = new("--outside") { Description = "Count the pixels outside the mask." };
        Option<string?> text = new("--text") { Description = "A text that describes the picture." };
        Option<string?> referenceText = new("--reference-text") { Description = "A text that describes the reference." };
        Option<string?> weights = new("--weights")
        {
            Description = "Folder with the published weights of networks as .safetensors, in lpips/, clip/ and dino/.",
        };
        Option<string?> metrics = new("--metrics")
        {
            Description = "Metrics, separated by commas (default: all that can be computed; 'nulltext methods' lists them).",
        };
        metrics.CompletionSources.Add(_ => [.. MetricCatalogue.All.Select(m => new CompletionItem(m.Id))]);
        Option<bool> official = new("--pie-official") { Description = "Masks and pixel scales as in PIE-Bench's published tables, with their quirks." };
        Option<bool> json = new("--json") { Description = "Print JSON." };
        Option<string> device = SharedOptions.Device();
        Command command = new("measure", "Measure a picture: PSNR, SSIM, LPIPS, CLIP and others, whole or inside a mask.")
        {
            image,
            reference,
            mask,
            outside,
            text,
            referenceText,
            weights,
            metrics,
            official,
            json,
            device,
        };
        command.Validators.Add(result =>
        {
            if (result.GetValue(outside) && result.GetValue(mask) is null)
                result.AddError("--outside needs a mask: give --mask FILE too, or leave it out.");
            if (result.GetValue(referenceText) is not null && result.GetValue(reference) is null)
                result.AddError("--reference-text describes the reference: give --reference FILE too, or leave it out.");
        });
        CommandRunner.Handle(
            command,
            (parsed, context) =>
            {
                string? masked = parsed.GetValue(mask);
                MetricInput input = new()
                {
                    Image = ImageFile.Load(parsed.GetValue(image)!),
                    Reference = parsed.GetValue(reference) is { } other ? ImageFile.Load(other) : null,
                    Mask = masked is null ? null : Mask(masked, parsed.GetValue(outside)),
                    Text = parsed.GetValue(text),
                    ReferenceText = parsed.GetValue(referenceText),
                    Mode = parsed.GetValue(official) ? MaskedMode.PieOfficial : MaskedMode.Corrected,
                };
                Metric[]? asked = parsed.GetValue(metrics) is { } ids ? Chosen(ids) : null;
                using MetricNetworks? networks = parsed.GetValue(weights) is { } folder
                    ? MetricNetworks.Open(folder, ComputeDevice.Parse(parsed.GetValue(device)!))
                    : null;
                Value[] values = [.. (asked ?? MetricCatalogue.All).Select(m => Of(m, input, networks, asked is not null))];
                if (parsed.GetValue(json))
                    context.Out.WriteLine(
                        JsonSerializer.Serialize(
                            values.Select(v => new
                            {
                                v.Metric.Id,
                                v.Number,
                                v.Metric.Unit,
                                Better = v.Metric.Direction == MetricDirection.Higher ? "higher" : "lower",
                                Mode = v.Metric.HasModes ? (parsed.GetValue(official) ? "pie-official" : "corrected") : null,
                                v.Missing,
                            }),
                            Json
                        )
                    );
                else
                    Print(context.Out, values);
                return CommandRunner.Done;
            }
        );
        return command.WithExamples(
            "nulltext measure edit.png --reference photo.png",
            "nulltext measure edit.png --reference photo.png --mask edited.png --outside --metrics masked-psnr,masked-ssim",
            "nulltext measure edit.png --reference photo.png --text \"a dog\" --reference-text \"a cat\" --weights weights"
        );
    }

    private static Metric[] Chosen(string text) =>
        [.. SharedOptions.Ids("--metrics", text).Select(id => SharedOptions.Named("--metrics", () => MetricCatalogue.Find(id)))];

    private static RegionMask Mask(string path, bool outside)
    {
        RegionMask mask = RegionMask.FromPicture(ImageFile.Load(path));
        return outside ? mask.Inverse() : mask;
    }

    /// <summary>A metric that was asked for by name must work; one of all may not fit these pictures, and says why.</summary>
    private static Value Of(Metric metric, MetricInput input, MetricNetworks? networks, bool mustWork)
    {
        string? missing = metric.Missing(input.Has, networks);
        if (missing is not null && !mustWork)
            return new Value(metric, null, missing);
        try
        {
            return new Value(metric, metric.Measure(input, networks), null);
        }
        catch (ArgumentException e)
        {
            string reason = ErrorText.WithoutParameter(e);
            return mustWork ? throw new UsageException($"{metric.Id}: {reason}") : new Value(metric, null, reason);
        }
    }

    private static void Print(TextWriter output, IReadOnlyList<Value> values)
    {
        int width = values.Max(v => v.Metric.Id.Length);
        foreach (Value value in values)
            output.WriteLine($"  {value.Metric.Id.PadRight(width)}  {value.Text}");
    }

    private sealed record Value(Metric Metric, double? Number, string? Missing)
    {
        public string Text =>
            Number is not { } number ? Missing!
            : double.IsNaN(number) ? "no pixel counts"
            : FormattableString.Invariant($"{number, 10:0.######} {Metric.Unit, -2}")
                + (Metric.Direction == MetricDirection.Higher ? "  higher is better" : "  lower is better");
    }
}
