using System.Globalization;
using NullTextResearch.Images;
using NullTextResearch.Interactive.Rendering;
using NullTextResearch.Inversion;

namespace NullTextResearch.Interactive.Display;

/// <summary>How work ended.</summary>
internal enum ProgressEnd
{
    /// <summary>Still running.</summary>
    Running,

    /// <summary>Completed.</summary>
    Done,

    /// <summary>Stopped by the user.</summary>
    Stopped,

    /// <summary>Failed.</summary>
    Failed,
}

/// <summary>A snapshot of long work.</summary>
[TypeFormatterSource(typeof(RenderingFormatters), PreferredMimeTypes = [Mime.Html, Mime.Text])]
internal sealed record ProgressView(string Title) : IRendered
{
    /// <summary>Current step; null before the work has begun.</summary>
    public InversionProgress? At { get; init; }

    /// <summary>Which part of several, such as <c>2 of 4: DDIM inversion</c>; null if the work has no parts.</summary>
    public string? Part { get; init; }

    /// <summary>Elapsed time.</summary>
    public TimeSpan Elapsed { get; init; }

    /// <summary>Estimated time to the end of the stage; null if unknown.</summary>
    public TimeSpan? Remaining { get; init; }

    /// <summary>Preview of the picture in its current state, or null.</summary>
    public RgbImage? Preview { get; init; }

    /// <summary>Whether and how it ended.</summary>
    public ProgressEnd End { get; init; }

    /// <summary>Whether this is the last snapshot.</summary>
    public bool IsLast => End != ProgressEnd.Running;

    /// <summary>Completed share of the stage, 0 to 1; null if unknown.</summary>
    public double? Share =>
        End == ProgressEnd.Done ? 1
        : At is { Of: > 0 } at ? Math.Clamp((double)at.Step / at.Of, 0, 1)
        : null;

    /// <inheritdoc/>
    public Rendition Render() => new(Text()) { Html = id => Markup.View(id, "progress", Body()) };

    /// <inheritdoc/>
    public override string ToString() => Text();

    private string Text()
    {
        string end = End switch
        {
            ProgressEnd.Done => "done",
            ProgressEnd.Stopped => "stopped",
            ProgressEnd.Failed => "failed",
            _ => "",
        };
        string[] parts = [Where(), Loss(), End == ProgressEnd.Running ? Left() : $"{end} after {Time(Elapsed)}"];
        string now = string.Join(", ", parts.Where(p => p.Length > 0));
        return now.Length == 0 ? Title : $"{Title}: {now}";
    }

    private string Body()
    {
        string numbers = string.Join(
            " · ",
            new[] { Where(), Loss(), Time(Elapsed) + (End == ProgressEnd.Running && Left() is { Length: > 0 } left ? $", {left}" : "") }.Where(p =>
                p.Length > 0
            )
        );
        if (End != ProgressEnd.Running)
        {
            string mark = End switch
            {
                ProgressEnd.Done => "&#10003;",
                ProgressEnd.Stopped => "&#9632;",
                _ => "&#10007;",
            };
            string word = End switch
            {
                ProgressEnd.Done => "",
                ProgressEnd.Stopped => " stopped ·",
                _ => " failed ·",
            };
            return $"<div class=\"nt-note\">{mark} <b>{Markup.Text(Title)}</b>{word} {Markup.Text(End == ProgressEnd.Done ? Time(Elapsed) : numbers)}</div>";
        }

        string bar = string.Create(CultureInfo.InvariantCulture, $"<div class=\"nt-track\"><div style=\"width:{100 * (Share ?? 0):0.#}%\"></div></div>");
        string picture = Preview is null ? "" : $"<div style=\"width:96px\">{Markup.Image(Preview, "current state")}</div>";
        return $"{picture}<div><div><b>{Markup.Text(Title)}</b></div>{bar}<div class=\"nt-note\">{Markup.Text(numbers)}</div></div>";
    }

    private string Where()
    {
        string step = At is { Of: > 0 } ? string.Create(CultureInfo.InvariantCulture, $"step {At.Step} of {At.Of}") : "";
        // Do not repeat what the title or the part already says.
        string stage = At is null || At.Stage == Title || Part?.EndsWith(At.Stage, StringComparison.Ordinal) == true ? "" : At.Stage;
        return string.Join(", ", new[] { Part, stage, step }.Where(t => !string.IsNullOrEmpty(t)));
    }

    private string Loss() => At?.Loss is { } loss ? string.Create(CultureInfo.InvariantCulture, $"loss {loss:0.0e+00}") : "";

    private string Left() => Remaining is { } remaining ? $"about {Time(remaining)} left" : "";

    private static string Time(TimeSpan time) =>
        time.TotalSeconds < 10 ? string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.0} s")
        : time.TotalSeconds < 90 ? string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0} s")
        : string.Create(CultureInfo.InvariantCulture, $"{(int)time.TotalMinutes}:{time.Seconds:00} min");
}
