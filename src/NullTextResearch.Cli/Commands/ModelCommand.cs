using System.CommandLine;
using NullTextResearch.Cli.Running;
using NullTextResearch.Hub;
using NullTextResearch.Models;

namespace NullTextResearch.Cli.Commands;

/// <summary><c>nulltext model</c>: downloads models from a hub, lists and removes them.</summary>
internal static class ModelCommand
{
    public static Command Create() =>
        new Command("model", "Download Stable Diffusion models from a model hub; list and remove them.") { Pull(), List(), Remove() }.WithExamples(
            "nulltext model pull stable-diffusion-v1-5/stable-diffusion-v1-5 --variant fp16",
            "nulltext model list"
        );

    private static Command Pull()
    {
        Argument<string> name = Name("owner/name of the model on the hub, such as stable-diffusion-v1-5/stable-diffusion-v1-5; @revision may follow.");
        Option<string?> revision = new("--revision") { Description = "Branch, tag or commit (default: main)." };
        Option<string?> variant = new("--variant")
        {
            Description = "Variant of the weights, such as fp16, which is half the size; networks without it come with their default weights.",
        };
        Option<bool> dry = new("--dry-run") { Description = "Show what would be downloaded, and download nothing." };
        Option<bool> verify = new("--verify")
        {
            Description =
                "Also verify the checksums of files already in the cache, and download damaged ones again; with HF_HUB_OFFLINE set, only report them.",
        };
        Command command = new(
            "pull",
            "Download a model, or its missing files, into the cache that Python's hub library also uses (HF_HOME; HF_TOKEN, HF_ENDPOINT and "
                + "HF_HUB_OFFLINE are honoured)."
        )
        {
            name,
            revision,
            variant,
            dry,
            verify,
        };
        CommandRunner.Handle(
            command,
            (parsed, context) =>
            {
                ModelName model = Named(() =>
                    parsed.GetValue(revision) is { } asked ? ModelName.Parse(parsed.GetValue(name)!).At(asked) : ModelName.Parse(parsed.GetValue(name)!)
                );
                return Pull(context, model, parsed.GetValue(variant), parsed.GetValue(dry), parsed.GetValue(verify));
            }
        );
        return command.WithExamples(
            "nulltext model pull stable-diffusion-v1-5/stable-diffusion-v1-5 --variant fp16",
            "nulltext model pull OWNER/NAME@main --dry-run"
        );
    }

    private static int Pull(RunContext context, ModelName model, string? variant, bool dry, bool verify)
    {
        HubOptions options = HubOptions.FromEnvironment();
        ModelCache cache = ModelCache.FromEnvironment();
        if (options.Offline && cache.Find(model) is { } here)
        {
            context.Out.WriteLine($"HF_HUB_OFFLINE is set: {options.Endpoint.Authority} was not contacted. {model} is in the cache: {here}");
            return verify ? VerifyOffline(context, cache, model) : CommandRunner.Done;
        }

        using ModelPuller puller = new(cache, options);
        PullPlan plan = puller.PlanAsync(model, variant, PullReport.Notes(context.Error), context.Cancel).GetAwaiter().GetResult();
        if (verify)
            plan = puller.VerifyAsync(plan, PullReport.Notes(context.Error), context.Cancel).GetAwaiter().GetResult();
        context.Out.WriteLine(
            $"{model} is commit {plan.Commit[..8]} of {options.Endpoint.Authority}{(plan.Licence is null ? "" : $"; licence: {plan.Licence}")}"
        );
        foreach (string note in plan.Notes)
            context.Out.WriteLine(note);
        long begun = plan.Missing.Sum(f => f.Size) - plan.BytesToFetch;
        string goingOn = begun > 0 ? $", resuming after {ByteCount.InWords(begun)}" : "";
        string rest =
            plan.Missing.Count == 0 ? "all in the cache" : $"to download: {plan.Missing.Count} files, {ByteCount.InWords(plan.BytesToFetch)}{goingOn}";
        context.Out.WriteLine($"{plan.Files.Count} files, {ByteCount.InWords(plan.Bytes)}; {rest}");
        if (dry)
        {
            foreach (HubFile file in plan.Missing)
                context.Out.WriteLine($"  {ByteCount.InWords(file.Size), 10}  {file.Path}");
            return CommandRunner.Done;
        }

        context.Kept = "downloaded data is kept; the same command resumes.";
        string folder =
            plan.Missing.Count == 0
                ? puller.FetchAsync(plan, null, context.Cancel).GetAwaiter().GetResult()
                : PullReport.Track(context, plan, progress => puller.FetchAsync(plan, progress, context.Cancel).GetAwaiter().GetResult());
        context.Out.WriteLine($"All {plan.Files.Count} files are in the cache ({PullReport.Checked(plan)}): {folder}");
        context.Out.WriteLine($"Use it: nulltext invert photo.png --prompt \"...\" --model {model}");
        return CommandRunner.Done;
    }

    private static int VerifyOffline(RunContext context, ModelCache cache, ModelName model)
    {
        (IReadOnlyList<string> right, IReadOnlyList<string> damaged, IReadOnlyList<string> unknown) = ModelPuller
            .VerifyOfflineAsync(cache, model, context.Cancel)
            .GetAwaiter()
            .GetResult();
        context.Out.WriteLine(
            $"{right.Count} files match the checksum in their "
                + $"name{(unknown.Count > 0 ? $"; {unknown.Count} could not be checked, because their names have none: {string.Join(", ", unknown)}" : "")}"
        );
        if (damaged.Count == 0)
            return CommandRunner.Done;
        context.Error.WriteLine(
            $"error: {model} is damaged in the cache: {string.Join(", ", damaged)}. To download them again: nulltext model pull {model.Id} --verify, "
                + "without HF_HUB_OFFLINE."
        );
        return CommandRunner.Failed;
    }

    private static Command List()
    {
        Command command = new("list", "List the models in the cache.");
        CommandRunner.Handle(
            command,
            (_, context) =>
            {
                ModelCache cache = ModelCache.FromEnvironment();
                IReadOnlyList<CachedModel> all = cache.List();
                CachedModel[] usable = [.. all.Where(m => m.IsPipeline || (m.Revisions.Count == 0 && m.Bytes + m.UnfinishedBytes > 0))];
                int width = usable.Select(m => m.Name.Id.Length).DefaultIfEmpty().Max();
                foreach (CachedModel model in usable)
                {
                    if (model.Revisions.Count == 0)
                        context.Out.WriteLine(
                            $"{model.Name.Id.PadRight(width)}  {ByteCount.InWords(model.Bytes + model.UnfinishedBytes), 9}  incomplete: nulltext model "
                                + $"pull {model.Name.Id}"
                        );
                    foreach (CachedRevision revision in model.Revisions.Where(r => r.HasIndex))
                    {
                        string names = revision.References.Count > 0 ? string.Join(", ", revision.References) : revision.Commit[..8];
                        string state = revision.Missing.Count == 0 ? "" : $"  lacks {string.Join(", ", revision.Missing)}";
                        string unfinished = model.UnfinishedBytes > 0 ? $"  (and {ByteCount.InWords(model.UnfinishedBytes)} of unfinished downloads)" : "";
                        context.Out.WriteLine($"{model.Name.Id.PadRight(width)}  {ByteCount.InWords(revision.Bytes), 9}  {names}{state}{unfinished}");
                    }
                }

                int others = all.Count - usable.Length;
                if (usable.Length == 0)
                    context.Out.WriteLine(
                        "No Stable Diffusion model in the cache. For example: nulltext model pull stable-diffusion-v1-5/stable-diffusion-v1-5 --variant fp16"
                    );
                context.Out.WriteLine($"{cache.Root}{(others > 0 ? $", which also has {others} model{(others == 1 ? "" : "s")} of other kinds" : "")}");
                return CommandRunner.Done;
            }
        );
        return command.WithExamples("nulltext model list");
    }

    private static Command Remove()
    {
        Argument<string> name = Name("owner/name of the model; with @revision, only that revision.");
        Command command = new("remove", "Delete a model from the cache, also for Python's hub library.") { name };
        CommandRunner.Handle(
            command,
            (parsed, context) =>
            {
                ModelCache cache = ModelCache.FromEnvironment();
                ModelName model = Named(() => ModelName.Parse(parsed.GetValue(name)!));
                long freed = cache.Remove(model);
                context.Out.WriteLine($"Removed {model}: {ByteCount.InWords(freed)} freed in {cache.Root}.");
                return CommandRunner.Done;
            }
        );
        return command.WithExamples("nulltext model remove OWNER/NAME");
    }

    private static ModelName Named(Func<ModelName> read)
    {
        try
        {
            return read();
        }
        catch (ArgumentException e)
        {
            throw new UsageException(ErrorText.Of(e));
        }
    }

    private static Argument<string> Name(string description) => new("model") { Description = description };
}
