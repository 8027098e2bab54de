using System.Globalization;
using NullTextResearch.Metrics;

namespace NullTextResearch.Figures;

/// <summary>A claim of the paper, and what a run measured.</summary>
/// <param name="Sentence">The claim, in a sentence.</param>
/// <param name="Paper">The paper's number, or what it shows instead of one.</param>
/// <param name="Run">The run's number.</param>
/// <param name="Images">Images that were compared.</param>
/// <param name="Verdict">The verdict, valid only with enough images: see <see cref="IsJudged"/>.</param>
public sealed record Claim(string Sentence, string Paper, string Run, int Images, Verdict Verdict)
{
    /// <summary>With fewer images than this, claims are not judged.</summary>
    public const int FewestImages = 5;

    /// <summary>Whether there are enough images for the verdict to mean something.</summary>
    public bool IsJudged => Images >= FewestImages;

    /// <summary>The verdict in words, or that the claim is not judged.</summary>
    public string VerdictText =>
        !IsJudged
            ? "not judged"
            : Verdict switch
            {
                Verdict.Reproduced => "reproduced",
                Verdict.Partly => "partly",
                _ => "not reproduced",
            };

    /// <summary>A claim about orderings: each difference is positive where the run agrees with the paper.</summary>
    /// <param name="sentence">The claim.</param>
    /// <param name="paper">The paper's number.</param>
    /// <param name="run">The run's number.</param>
    /// <param name="orders">The paired differences, at least one; all on the same images.</param>
    /// <exception cref="ArgumentException">No difference is given.</exception>
    public static Claim Of(string sentence, string paper, string run, params IReadOnlyList<PairedDifference> orders)
    {
        if (orders.Count == 0)
            throw new ArgumentException("A claim compares at least one pair.", nameof(orders));
        Verdict verdict =
            orders.All(o => o.Low > 0) ? Verdict.Reproduced
            : orders.Any(o => o.Mean > 0) ? Verdict.Partly
            : Verdict.NotReproduced;
        return new Claim(sentence, paper, run, orders.Min(o => o.Count), verdict);
    }

    /// <summary>A mean difference as text, with its interval if there are enough images for one.</summary>
    /// <param name="difference">The difference.</param>
    /// <param name="unit">Its unit; empty for none.</param>
    /// <param name="format">Format of its numbers.</param>
    public static string Say(PairedDifference difference, string unit = "dB", string format = "0.0")
    {
        string Number(double value) => value.ToString(format, CultureInfo.InvariantCulture);
        string mean = unit.Length > 0 ? $"{Number(difference.Mean)} {unit}" : Number(difference.Mean);
        return difference.Count < FewestImages ? mean : $"{mean} ({Number(difference.Low)} to {Number(difference.High)})";
    }

    /// <summary>Claims as a table, one per row.</summary>
    /// <param name="claims">Claims, each with its figure.</param>
    /// <param name="title">Title of the table.</param>
    public static TableData Table(IEnumerable<(string Figure, Claim Claim)> claims, string title = "") =>
        new(
            title,
            ["claim", "figure", "paper", "this run", "n", "verdict"],
            [
                .. claims.Select(c =>
                    (IReadOnlyList<string>)
                        [c.Claim.Sentence, c.Figure, c.Claim.Paper, c.Claim.Run, c.Claim.Images.ToString(CultureInfo.InvariantCulture), c.Claim.VerdictText]
                ),
            ]
        );
}
