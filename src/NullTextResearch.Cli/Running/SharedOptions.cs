using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using NullTextResearch.Images;
using NullTextResearch.Text;

namespace NullTextResearch.Cli.Running;

/// <summary>Options shared by several commands, spelled and checked the same way.</summary>
internal static class SharedOptions
{
    /// <summary>Name of the embedded model.</summary>
    public const string EmbeddedModel = "sd-mini";

    public static Option<string> Device()
    {
        Option<string> option = new("--device")
        {
            Description = "cpu, cuda or cuda:N.",
            HelpName = "device",
            DefaultValueFactory = _ => "cpu",
        };
        option.CompletionSources.Add("cpu", "cuda");
        option.Validators.Add(result =>
        {
            string value = result.Tokens.Count == 1 ? result.Tokens[0].Value : "cpu";
            bool good =
                value is "cpu" or "cuda"
                || (value.StartsWith("cuda:", StringComparison.Ordinal) && int.TryParse(value[5..], NumberStyles.None, CultureInfo.InvariantCulture, out _));
            if (!good)
                result.AddError($"--device is '{value}'; it must be cpu, cuda or cuda:N.");
        });
        return option;
    }

    /// <summary>The ids of an option that lists some, separated by commas.</summary>
    /// <exception cref="UsageException">None, or one twice.</exception>
    public static string[] Ids(string option, string text)
    {
        string[] ids = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (ids.Length == 0)
            throw new UsageException($"{option} lists no ids; give them separated by commas ('nulltext methods' lists them).");
        return ids.Distinct().Count() == ids.Length ? ids : throw new UsageException($"{option} lists an id twice: {text}.");
    }

    /// <summary>What an id of an option names.</summary>
    /// <exception cref="UsageException">Nothing of that name; the message of <paramref name="find"/> with the option's name in front.</exception>
    public static T Named<T>(string option, Func<T> find)
    {
        try
        {
            return find();
        }
        catch (ArgumentException e)
        {
            throw new UsageException($"{option}: {ErrorText.WithoutParameter(e)}");
        }
    }

    /// <summary>A whole number between bounds.</summary>
    public static Option<int> Int(string name, string description, int value, int least, int most)
    {
        Option<int> option = new(name) { Description = description, DefaultValueFactory = _ => value };
        option.Validators.Add(result => Check(result, name, least, most));
        return option;
    }

    /// <summary>A number between bounds.</summary>
    public static Option<double> Number(string name, string description, double value, double least, double most)
    {
        Option<double> option = new(name)
        {
            Description = description,
            DefaultValueFactory = _ => value,
            CustomParser = result => Read(result, name) ?? value,
        };
        option.Validators.Add(result => Check(result, name, least, most));
        return option;
    }

    /// <summary>An optional number between bounds.</summary>
    public static Option<double?> OptionalNumber(string name, string description, double least, double most)
    {
        Option<double?> option = new(name) { Description = description, CustomParser = result => Read(result, name) };
        option.Validators.Add(result => Check(result, name, least, most));
        return option;
    }

    /// <summary>The size of images.</summary>
    public static Option<string> Size(string description)
    {
        Option<string> option = new("--size")
        {
            Description =
                $"{description} 640x448 or 512 (multiples of 8 up to {SizeRule.Most}); keep: the image's aspect ratio, with about as many pixels as the "
                + "model's square; as-is: the image's own size; own (default): the square size that the model was trained at.",
            HelpName = "size",
            DefaultValueFactory = _ => "own",
        };
        option.CompletionSources.Add("own", "keep", "as-is");
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && !ImageSizing.TryParse(result.Tokens[0].Value, out _))
                result.AddError($"--size is '{result.Tokens[0].Value}'; it must be a size such as 640x448 or 512, or one of: own, keep, as-is.");
        });
        return option;
    }

    /// <summary>Reads <see cref="Size"/>.</summary>
    public static ImageSizing ReadSize(ParseResult parsed, Option<string> option) =>
        ImageSizing.TryParse(parsed.GetValue(option), out ImageSizing? sizing) ? sizing : throw new UsageException($"--size: '{parsed.GetValue(option)}'");

    /// <summary>The size of an image, for a command line: the error names the option.</summary>
    public static PixelSize SizeFor(ImageSizing sizing, PixelSize image, SizeRule rule)
    {
        try
        {
            return sizing.For(image, rule);
        }
        catch (ArgumentException e)
        {
            throw new UsageException($"--size {sizing}: {e.Message}");
        }
    }

    /// <summary>One of several words.</summary>
    public static Option<string> Choice(string name, string description, string value, params IReadOnlyList<string> choices)
    {
        Option<string> option = new(name) { Description = $"{description} One of: {string.Join(", ", choices)}.", DefaultValueFactory = _ => value };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && !choices.Contains(result.Tokens[0].Value))
                result.AddError(
                    $"{name} is '{result.Tokens[0].Value}'; it must be one of: {string.Join(", ", choices)}{Spelling.Hint(result.Tokens[0].Value, choices)}."
                );
        });
        option.CompletionSources.Add([.. choices]);
        return option;
    }

    /// <summary>Refuses prompts that the model cannot follow, and reports what it will not understand in the others.</summary>
    public static void RequirePrompts(RunContext context, StableDiffusion model, params IReadOnlyList<string> prompts)
    {
        foreach (string note in model.CheckPrompts(prompts))
            context.Error.WriteLine($"note: {note}");
    }

    /// <summary>Whether an option was typed.</summary>
    public static bool WasGiven(ParseResult parsed, Option option) => parsed.GetResult(option) is { Implicit: false };

    /// <summary>Path of a model.</summary>
    /// <param name="model">A folder, a file, owner/name of a pulled model, or the name of the embedded model.</param>
    public static string ModelPath(string model) => model == EmbeddedModel ? StableDiffusion.MiniFolder() : model;

    // The parser's own conversion follows the culture: in German, 0.75 would be 75.
    private static double? Read(ArgumentResult result, string name)
    {
        // A missing value is reported by the parser.
        if (result.Tokens.Count != 1)
            return null;
        string text = result.Tokens[0].Value;
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number))
            return number;
        result.AddError($"{name} is '{text}'; it must be a number, such as 7.5.");
        return null;
    }

    private static void Check(OptionResult result, string name, double least, double most)
    {
        if (result.Tokens.Count != 1)
            return;
        string text = result.Tokens[0].Value;
        // Text that is not a number is reported where it is read.
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && !(value >= least && value <= most))
            result.AddError(string.Create(CultureInfo.InvariantCulture, $"{name} is {text}; it must lie between {least} and {most}."));
    }
}
