using System.CommandLine;

namespace NullTextResearch.Cli.Running;

/// <summary>`--set NAME=VALUE`: sets any option of a method or editor by name, including those without a flag.</summary>
internal static class OptionSetting
{
    /// <summary>The option.</summary>
    /// <param name="whose">The owner of the options, for the description.</param>
    public static Option<string[]> Create(string whose)
    {
        Option<string[]> option = new("--set")
        {
            Description = $"Options of the {whose} by name: NAME=VALUE ... ('nulltext methods ID' lists them).",
            AllowMultipleArgumentsPerToken = true,
            HelpName = "NAME=VALUE",
        };
        option.Validators.Add(result =>
        {
            foreach (string text in result.Tokens.Select(t => t.Value).Where(t => t.IndexOf('=') < 1))
                result.AddError($"--set takes NAME=VALUE, such as learning-rate=0.02; got '{text}'.");
        });
        return option;
    }

    /// <summary>The given names and values, in order.</summary>
    public static IReadOnlyList<KeyValuePair<string, string>> Read(ParseResult parsed, Option<string[]> option) =>
        [.. (parsed.GetValue(option) ?? []).Select(text => text.Split('=', 2)).Select(parts => KeyValuePair.Create(parts[0], parts[1]))];

    /// <summary>Builds something from named options; an invalid option is reported as a command line error.</summary>
    public static T Checked<T>(Func<T> make)
    {
        try
        {
            return make();
        }
        catch (ArgumentException e)
        {
            throw new UsageException($"--set: {e.Message}");
        }
    }
}
