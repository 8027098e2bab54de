using NullTextResearch.Experiments;
using NullTextResearch.Images;
using NullTextResearch.Inversion;
using NullTextResearch.Loading;
using NullTextResearch.Metrics;
using NullTextResearch.Tensors;

namespace NullTextResearch.Cli.Running;

/// <summary>One inversion with its run folder: read if complete, resumed if interrupted, computed if new.</summary>
internal sealed record InversionRun
{
    /// <summary>The model as requested.</summary>
    public required ModelRequest Model { get; init; }

    /// <summary>Where it was found.</summary>
    public required ModelSource Found { get; init; }

    /// <summary>The model; borrowed.</summary>
    public required StableDiffusion Network { get; init; }

    /// <summary>Name of the image, for the manifest.</summary>
    public required string ImageName { get; init; }

    /// <summary>The image, at the size at which it is inverted.</summary>
    public required RgbImage Source { get; init; }

    /// <summary>What it shows.</summary>
    public required string Prompt { get; init; }

    /// <summary>The method.</summary>
    public required IInversion Inversion { get; init; }

    /// <summary>T.</summary>
    public required int Steps { get; init; }

    /// <summary>w.</summary>
    public required double Guidance { get; init; }

    /// <summary>The run folder.</summary>
    public required RunFolder Folder { get; init; }

    /// <summary>Its name as typed, for messages.</summary>
    public required string FolderName { get; init; }

    /// <summary>Run again, whatever the folder holds.</summary>
    public required bool Restart { get; init; }

    /// <summary>Makes the run, or reads it if it is complete.</summary>
    /// <returns>Its manifest, and whether it was complete before.</returns>
    /// <exception cref="CommandException">The folder holds another run.</exception>
    public (InversionManifest Manifest, bool WasComplete) Make(RunContext context)
    {
        string identity = RunFolder.ModelIdentity(Found);
        string key = RunFolder.Key(Source, Prompt, identity, Inversion.Name, Steps, Guidance, Inversion.Options, Found.Options.Numerics, Inversion.Revision);
        if (Folder.IsComplete && !Restart)
        {
            InversionManifest earlier = Folder.ReadManifest();
            if (earlier.Key != key)
                throw new CommandException(
                    $"{Folder.Path} holds another run ({earlier.Method} of {earlier.Image}, \"{earlier.Prompt}\"). Choose another --out, or give "
                        + "--restart to replace it."
                );
            // The earlier process may have been killed after its last file, before it released the folder.
            OutputLock.Tidy(Folder.Path);
            return (earlier, true);
        }

        InvertOptions options = new()
        {
            Method = new ResumableInversion(Inversion, Folder, key)
            {
                Restart = Restart,
                Resumed = done =>
                {
                    context.Error.WriteLine($"resuming after step {done} of {Steps}, where an earlier run stopped");
                    context.Kept = Kept(done);
                },
                Saved = done => context.Kept = Kept(done),
                Unusable = note => context.Error.WriteLine($"note: {note}; the inversion starts from scratch"),
            },
            Steps = Steps,
            GuidanceScale = Guidance,
            Size = ImageSizing.AsIs,
        };
        using InvertedPicture inverted = context.Track(progress =>
            Network.Invert(Source, Prompt, options, new RunControl { Progress = progress, Cancellation = context.Cancel })
        );
        InversionResult result = inverted.Inversion;
        InversionManifest manifest = new()
        {
            Key = key,
            Finished = DateTimeOffset.UtcNow,
            Model = Network.Name,
            ModelFolder = Model.IsEmbedded ? null : Found.Path,
            ModelVariant = Model.Variant,
            ModelPrediction = Model.Prediction,
            ModelTokenizer = Model.Tokenizer,
            ModelPrecision = Precision.NameOf(Network.Dtype),
            ModelVaePrecision = Model.VaePrecision,
            ModelMemory = Network.Memory == new MemoryOptions() ? null : Network.Memory,
            GradientBackOffs = result.GradientBackOffs,
            ModelIdentity = identity,
            Image = ImageName,
            ImageSize = PixelSize.Of(Source),
            Prompt = Prompt,
            Method = result.Method,
            Steps = Steps,
            GuidanceScale = Guidance,
            Options = RunFolder.ToJson(Inversion.Options),
            Evaluations = result.EvaluationsPerImage,
            Backwards = result.BackwardsPerImage,
            Seconds = result.Elapsed.TotalSeconds,
            Threads = context.Threads,
            VaePsnr = inverted.RoundTripPsnr,
            Psnr = inverted.Psnr,
            PsnrAgainstVae = Psnr.Of(inverted.Reconstruction, inverted.RoundTrip),
        };
        Folder.Save(result, manifest, Source, inverted.RoundTrip, inverted.Reconstruction);
        return (manifest, false);

        string Kept(int done) => $"{done} of {Steps} steps are kept in {FolderName}; the same command resumes from there.";
    }
}
