using System.CommandLine;

namespace NullTextResearch.Cli.Running;

/// <summary>`--set NAME=VALUE`: every option of a method or editor by its name, those included that have no flag of their own.</summary>
internal static class OptionSetting
{
    /// <summary>The option.</summary>
    /// <param name="whose">Whose options they are.</param>
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

    /// <summary>Names and values that were given, in order.</summary>
    public static IReadOnlyList<KeyValuePair<string, string>> Read(ParseResult parsed, Option<string[]> option) =>
        [.. (parsed.GetValue(option) ?? []).Select(text => text.Split('=', 2)).Select(parts => KeyValuePair.Create(parts[0], parts[1]))];

    /// <summary>Makes something of options by name; what is wrong with them is a mistake of the command line.</summary>
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
