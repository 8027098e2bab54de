using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Runtime.InteropServices;

namespace NullTextResearch.Cli.Running;

/// <summary>What every command shares: options, threads, Ctrl-C, errors a person can act on, exit codes.</summary>
internal static class CommandRunner
{
    /// <summary>Everything was done.</summary>
    public const int Done = 0;

    /// <summary>It could not be done; stderr says why.</summary>
    public const int Failed = 1;

    /// <summary>The command line was not understood.</summary>
    public const int Misused = 2;

    /// <summary>Stopped by Ctrl-C (128 + SIGINT, as shells have it).</summary>
    public const int Cancelled = 130;

    /// <summary>How command lines are read: a word that begins with '@' is a word, not the name of a file of words.</summary>
    public static ParserConfiguration Parsing { get; } = new() { ResponseFileTokenReplacer = null };

    private static readonly Option<int?> ThreadsOption = new("--threads")
    {
        Description =
            "Processor threads (default: $NULLTEXT_THREADS, else what the model's size is worth: 1 for sd-mini, all processors for Stable Diffusion).",
        Recursive = true,
    };

    private static readonly Option<bool> DebugOption = new("--debug") { Description = "On failure, show where in the program it happened.", Recursive = true };

    /// <summary>Adds the options that all commands have.</summary>
    public static void AddSharedOptions(RootCommand root)
    {
        ThreadsOption.Validators.Add(result =>
        {
            if (
                result.Tokens.Count == 1
                && int.TryParse(result.Tokens[0].Value, NumberStyles.Integer, CultureInfo.InvariantCulture, out int threads)
                && threads is < 1 or > 1024
            )
                result.AddError($"--threads is {threads}; give 1 to 1024.");
        });
        root.Options.Add(ThreadsOption);
        root.Options.Add(DebugOption);
    }

    /// <summary>Gives a command its work, which runs on the calling thread.</summary>
    public static void Handle(Command command, Func<ParseResult, RunContext, int> work) => command.SetAction(parsed => Run(parsed, work));

    /// <summary>Reads and runs a command line.</summary>
    public static int Invoke(RootCommand root, string[] args)
    {
        ParseResult parsed = root.Parse(args, Parsing);
        // What a shell asks to complete is half a command line, and so is one that help is wanted for.
        bool isQuestion = parsed.Tokens.Any(t => t.Type == TokenType.Directive) || (parsed.Action is HelpWithExamples && parsed.UnmatchedTokens.Count == 0);
        IReadOnlyList<string> mistakes = isQuestion ? [] : Misuse.Of(parsed);
        // The runner handles signals itself: the library would end the process after two seconds, in the middle of a step.
        if (mistakes.Count == 0)
            return parsed.Invoke(new InvocationConfiguration { ProcessTerminationTimeout = null, EnableDefaultExceptionHandler = false });
        foreach (string message in mistakes)
            Console.Error.WriteLine($"error: {message}");
        return Misunderstood(parsed);
    }

    private static int Misunderstood(ParseResult parsed)
    {
        Console.Error.WriteLine($"'{Misuse.PathOf(parsed.CommandResult.Command)} --help' lists what it takes.");
        return Misused;
    }

    private static int Run(ParseResult parsed, Func<ParseResult, RunContext, int> work)
    {
        using CancellationTokenSource cancel = new();
        void OnSignal(PosixSignalContext signal)
        {
            // The second one goes through to the system and ends the process at once.
            if (cancel.IsCancellationRequested)
                return;
            signal.Cancel = true;
            cancel.Cancel();
        }

        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
        RunContext context = new(Console.Out, Console.Error, cancel.Token, Threads(parsed));
        try
        {
            if (Native.EnsureLoaded() is { Mode: NativeLoadMode.Failed } native)
                context.Error.WriteLine($"warning: libtorch: {native.Detail} ('nulltext doctor' says more)");
            else
                context.ApplyThreads();
            return work(parsed, context);
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            Console.Error.WriteLine(context.Kept is { } kept ? $"cancelled; {kept}" : "cancelled; nothing was written.");
            return Cancelled;
        }
        catch (UsageException e)
        {
            Console.Error.WriteLine($"error: {e.Message}");
            return Misunderstood(parsed);
        }
        // The one place that catches everything: the person at the terminal is the last caller.
        catch (Exception e)
        {
            Console.Error.WriteLine($"error: {ErrorText.Of(e)}");
            if (parsed.GetValue(DebugOption))
                Console.Error.WriteLine(e);
            else if (!ErrorText.IsKnown(e))
                Console.Error.WriteLine("This looks like a mistake in the program: run it again with --debug and report what it prints.");
            return Failed;
        }
    }

    /// <summary>Threads that were asked for, by option or variable; null if none were.</summary>
    public static int? Threads(ParseResult parsed) => parsed.GetValue(ThreadsOption) ?? ProcessorThreads.Asked;
}
