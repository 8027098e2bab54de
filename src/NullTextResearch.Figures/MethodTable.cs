using System.Globalization;
using NullTextResearch.Editing;
using NullTextResearch.Images;
using NullTextResearch.Inversion;

namespace NullTextResearch.Figures;

/// <summary>One picture, inverted by several methods and edited by several editors: as a grid of pictures and a table of numbers.</summary>
public sealed record MethodTable
{
    /// <summary>Shown instead of a missing picture.</summary>
    public const string NoPair = "does not go together";

    // dB; smaller differences are not visible, and not shown below a picture.
    private const double Tie = 0.05;

    /// <summary>The picture, at the size at which it was inverted.</summary>
    public required RgbImage Source { get; init; }

    /// <summary>What it shows.</summary>
    public required string Prompt { get; init; }

    /// <summary>What the edited versions should show; null if nothing was edited.</summary>
    public string? Target { get; init; }

    /// <summary>Ids of the editors; empty if nothing was edited.</summary>
    public IReadOnlyList<string> Editors { get; init; } = [];

    /// <summary>At least one method.</summary>
    public required IReadOnlyList<ComparedMethod> Methods { get; init; }

    /// <summary>PSNR of a method's reconstruction against the picture, dB; null if there is no reconstruction.</summary>
    public double? Psnr(ComparedMethod method) => method.Inversion.Result is { } r ? Metrics.Psnr.Of(r.Reconstruction, Source) : null;

    /// <summary>Edits an inverted picture with one editor; if the two cannot be combined, the result is the reason.</summary>
    /// <param name="model">The model of the inversion; borrowed.</param>
    /// <param name="inversion">The inversion of one picture; borrowed.</param>
    /// <param name="steps">Its T.</param>
    /// <param name="source">Its prompt.</param>
    /// <param name="target">What the edited picture should show; already checked by <see cref="PictureEditing.CheckPrompts"/>.</param>
    /// <param name="editor">The editor, with its default options.</param>
    /// <param name="control">Progress and cancellation; null for neither.</param>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static Attempt<ComparedEdit> Edit(
        StableDiffusion model,
        InversionResult inversion,
        int steps,
        string source,
        string target,
        EditorMethod editor,
        RunControl? control = null
    )
    {
        try
        {
            using EditedPicture edited = model.Edit(inversion, steps, source, target, new EditOptions { Editor = editor.Default }, control);
            return Attempt<ComparedEdit>.Of(
                new ComparedEdit(edited.Image, edited.Result.Evaluations, edited.Result.Backwards, edited.Result.Elapsed.TotalSeconds)
            );
        }
        catch (ArgumentException e)
        {
            // This is how methods and editors refuse each other; the other pairs can still be made.
            return Attempt<ComparedEdit>.Refused(e.Message);
        }
    }

    /// <summary>
    /// The pictures, a row per method: the image and the autoencoder's (in the first row only), the reconstruction, the edits. Numbers are PSNR against
    /// the image; the best reconstructions have a frame.
    /// </summary>
    public ImageGrid Grid()
    {
        double best = Methods.Max(Psnr) ?? double.NaN;
        GridCell none = new(Grey(Source)) { Label = NoPair };
        return new ImageGrid
        {
            Title = Target is null ? Prompt : $"{Prompt} → {Target}",
            MinimumCellSize = 128,
            ColumnLabels = ["image", "autoencoder", "reconstruction", .. Editors],
            RowLabels = [.. Methods.Select(m => m.Name)],
            // The image and the autoencoder's are the same for all methods: the first row that has them shows them.
            Rows = [.. Methods.Select((m, i) => (IReadOnlyList<GridCell?>)[i == 0 ? new GridCell(Source) : null, .. Inverted(m), .. m.Edits.Select(Edited)])],
        };

        GridCell?[] Inverted(ComparedMethod method) =>
            method.Inversion.Result is { } made
                ?
                [
                    method == Methods.First(m => m.Inversion.Result is not null)
                        ? new GridCell(made.RoundTrip) { Label = Metrics.Psnr.InWords(Metrics.Psnr.Of(made.RoundTrip, Source)) }
                        : null,
                    new GridCell(made.Reconstruction)
                    {
                        Label = Metrics.Psnr.InWords(Psnr(method)!.Value),
                        Highlight = Methods.Count > 1 && Psnr(method) >= best - Tie,
                    },
                ]
                : [null, none];

        GridCell Edited(Attempt<ComparedEdit> edit) =>
            edit.Result is { } made
                ? new GridCell(made.Picture) { Label = $"{Metrics.Psnr.InWords(Metrics.Psnr.Of(made.Picture, Source))} to the image" }
                : none;
    }

    /// <summary>
    /// The numbers, a row per method and editor: PSNR of the reconstruction against the picture, of the same against the autoencoder's picture, of the
    /// edit against the picture; network evaluations, how many of them with a backward pass, seconds. If a pair cannot be combined, the last
    /// column gives the reason.
    /// </summary>
    /// <param name="notes">False leaves that column out, for callers that show <see cref="Notes"/>.</param>
    public TableData Table(bool notes = true)
    {
        string[] ofInversion = ["method", "PSNR [dB]", "PSNR to autoencoder [dB]", "evaluations", "with backward", "seconds"],
            ofEdit = ["editor", "edit PSNR to image [dB]", "edit evaluations", "edit with backward", "edit seconds"];
        bool areEdited = Editors.Count > 0,
            areNoted = notes && Methods.Any(m => m.Inversion.Reason is not null || m.Edits.Any(e => e.Reason is not null));
        return new TableData(
            "",
            [.. ofInversion, .. areEdited ? ofEdit : [], .. areNoted ? (string[])["note"] : []],
            [.. Methods.SelectMany(m => m.Edits.Count == 0 ? [Row(m, null)] : m.Edits.Select((_, e) => Row(m, e)))]
        );

        IReadOnlyList<string> Row(ComparedMethod method, int? editor)
        {
            ComparedInversion? made = method.Inversion.Result;
            Attempt<ComparedEdit>? attempt = editor is { } index ? method.Edits[index] : null;
            ComparedEdit? edit = attempt?.Result;
            string? reason = method.Inversion.Reason ?? attempt?.Reason;
            return
            [
                method.Name,
                Text(Psnr(method), "0.00"),
                Text(made is null ? null : Metrics.Psnr.Of(made.Reconstruction, made.RoundTrip), "0.00"),
                Text(made?.Evaluations, "0"),
                Text(made?.Backwards, "0"),
                Text(made?.Seconds, "0.0"),
                .. areEdited
                    ? (string[])
                        [
                            editor is { } e ? Editors[e] : "",
                            Text(edit is null ? null : Metrics.Psnr.Of(edit.Picture, Source), "0.00"),
                            Text(edit?.Evaluations, "0"),
                            Text(edit?.Backwards, "0"),
                            Text(edit?.Seconds, "0.0"),
                        ]
                    : [],
                .. areNoted ? (string[])[reason is null ? "" : $"{NoPair}: {reason}"] : [],
            ];
        }
    }

    /// <summary>The pairs that cannot be combined, with the reasons; null if all can.</summary>
    public TableData? Notes()
    {
        IReadOnlyList<string>[] rows =
        [
            .. Methods.SelectMany(m =>
                m.Edits.Select((e, i) => ($"{m.Name} with {Editors[i]}", e.Reason))
                    .Prepend((m.Name, m.Inversion.Reason))
                    .Where(r => r.Item2 is not null)
                    .Select(r => (IReadOnlyList<string>)[r.Item1, r.Item2!])
            ),
        ];
        return rows.Length == 0 ? null : new TableData("", [NoPair, "why"], rows);
    }

    private static string Text(double? value, string format) => value?.ToString(format, CultureInfo.InvariantCulture) ?? "";

    private static RgbImage Grey(RgbImage like)
    {
        byte[] pixels = new byte[like.Rgb.Length];
        Array.Fill(pixels, (byte)235);
        return new RgbImage(like.Width, like.Height, pixels);
    }
}
