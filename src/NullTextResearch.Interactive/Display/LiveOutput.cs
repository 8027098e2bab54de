using System.Globalization;
using System.Text.Json.Nodes;
using NullTextResearch.Interactive.Rendering;

namespace NullTextResearch.Interactive.Display;

/// <summary>Shows the progress of work requested by a displayed element in that element.</summary>
internal sealed class LiveOutput(Action<JsonObject> send, CancellationToken superseded) : Output
{
    public override bool IsRich => true;

    // While a slider is dragged, late previews are useless.
    public override TimeSpan PreviewInterval => TimeSpan.FromMilliseconds(250);

    public override CancellationToken Cancellation => superseded;

    public override Action<object> Display(object value)
    {
        Show(value);
        return Show;
    }

    private void Show(object value)
    {
        // What would otherwise appear below the cell, such as a note on a word, goes to the line below the sliders.
        if (value is not ProgressView view)
            send(new JsonObject { ["note"] = value.ToString() });
        else if (!view.IsLast)
        {
            send(
                new JsonObject
                {
                    ["busy"] = view.At is { Of: > 0 } at ? string.Create(CultureInfo.InvariantCulture, $"{at.Stage}: step {at.Step} of {at.Of}") : view.Title,
                    ["preview"] = view.Preview is { } picture ? Markup.DataUri(picture) : null,
                }
            );
        }
    }
}
