using System.Text;
using NullTextResearch.Editing;
using NullTextResearch.Inversion;
using NullTextResearch.Metrics;

namespace NullTextResearch.Experiments;

/// <summary>
/// Measures on rendered scenes what each quirk of an original code changes: the reconstruction, and how close an edit comes to the true one, whose picture is
/// known.
/// </summary>
public static class QuirkStudy
{
    /// <summary>Measures what is not in the cache yet.</summary>
    /// <param name="lab">Model, images and cache; every image needs an edit with its true result. T and N are those of its settings.</param>
    /// <param name="quirks">The quirks; null for all.</param>
    /// <param name="log">Receives one line per quirk; null to disable.</param>
    /// <exception cref="ArgumentException">An image has no edit whose true result is known.</exception>
    public static IReadOnlyList<QuirkRow> Run(ExperimentLab lab, IReadOnlyList<Quirk>? quirks = null, Action<string>? log = null)
    {
        ArgumentNullException.ThrowIfNull(lab);
        foreach (ExperimentImage image in lab.Images)
            _ = EditOf(image);
        List<QuirkRow> rows = [];
        foreach (Quirk quirk in quirks ?? Quirk.All)
        {
            IReadOnlyList<QuirkRecord> without = Measure(lab, quirk, quirky: false),
                with = Measure(lab, quirk, quirky: true);
            rows.Add(
                new QuirkRow(
                    quirk,
                    PairedDifference.Of(with.Zip(without, (w, o) => w.Reconstruction - o.Reconstruction)),
                    PairedDifference.Of(with.Zip(without, (w, o) => w.Edit - o.Edit))
                )
            );
            log?.Invoke(Line(rows[^1]));
        }
        return rows;
    }

    /// <summary>The rows as a Markdown table.</summary>
    public static string ToMarkdown(IEnumerable<QuirkRow> rows)
    {
        StringBuilder text = new("| of | option | measured with | reconstruction, dB (95 %) | edit to the truth, dB (95 %) | n |\n|---|---|---|---|---|---|\n");
        foreach (QuirkRow row in rows)
            text.Append(Line(row)).Append('\n');
        return text.ToString();
    }

    private static IReadOnlyList<QuirkRecord> Measure(ExperimentLab lab, Quirk quirk, bool quirky)
    {
        int innerSteps = lab.Settings.InnerSteps[^1];
        return lab.PerImage<QuirkRecord>(
            "quirk",
            i =>
            {
                (IInversion method, EditorOptions editor) = quirk.Create(quirky, innerSteps);
                return new
                {
                    quirk.Method,
                    Options = method.Options,
                    quirk.Editor,
                    EditorOptions = (object)editor,
                    EditOf(lab.Images[i]).Prompt,
                    lab.Settings.GuidanceScale,
                };
            },
            batch =>
                [
                    .. batch.Images.Select(image =>
                    {
                        (IInversion method, EditorOptions editor) = quirk.Create(quirky, innerSteps);
                        RunControl control = new() { Cancellation = lab.Cancellation };
                        using InvertedPicture picture = lab.Model.Invert(
                            image.Image,
                            image.Caption,
                            new InvertOptions
                            {
                                Steps = lab.Settings.Steps,
                                Method = method,
                                GuidanceScale = lab.Settings.GuidanceScale,
                            },
                            control
                        );
                        PlannedEdit edit = EditOf(image);
                        using EditedPicture edited = lab.Model.Edit(picture, edit.Prompt, new EditOptions { Editor = editor }, control);
                        return new QuirkRecord(picture.Psnr, Psnr.Of(edited.Image, edit.Truth!));
                    }),
                ]
        );
    }

    private static PlannedEdit EditOf(ExperimentImage image) =>
        image.Edits.FirstOrDefault(e => e.Truth is not null)
        ?? throw new ArgumentException($"'{image.Name}' has no edit whose true result is known; use rendered scenes (toy).", nameof(image));

    private static string Line(QuirkRow row)
    {
        static string Say(PairedDifference d) => d.Mean == 0 && d.Low == 0 && d.High == 0 ? "none" : d.ToSignedText();
        Quirk quirk = row.Quirk;
        return $"| {quirk.Owner} | {quirk.Option} = {quirk.Value} | {quirk.Use} | {Say(row.Reconstruction)} | {Say(row.Edit)} | {row.Edit.Count} |";
    }

    /// <summary>One image.</summary>
    /// <param name="Reconstruction">PSNR of the reconstruction in dB.</param>
    /// <param name="Edit">PSNR of the edit to the true edit in dB.</param>
    internal sealed record QuirkRecord(double Reconstruction, double Edit);
}
