using System.Runtime.InteropServices;
using NullTextResearch.Hub;
using NullTextResearch.Inversion;
using NullTextResearch.Training;
using NullTextResearch.Weights;

namespace NullTextResearch.Cli.Running;

/// <summary>Exceptions in words for the person at the terminal.</summary>
internal static class ErrorText
{
    /// <summary>Whether the message tells what to do; anything else is a mistake of the program.</summary>
    public static bool IsKnown(Exception e) =>
        e
            is ModelFormatException
                or CheckpointMismatchException
                or InversionDivergedException
                or TrainingDivergedException
                or ArgumentException
                and not ArgumentNullException
                or IOException
                or UnauthorizedAccessException
                or OutOfMemoryException
                or CommandException
        || IsKnownElsewhere(e)
        || IsOutOfMemory(e)
        || IsLibtorchMissing(e);

    /// <summary>One or two lines.</summary>
    public static string Of(Exception e)
    {
        if (IsDiskFull(e))
            return $"the disk is full ({FirstLine(WithoutParameter(e))}). Free some space or choose another --out; results that were complete are intact, "
                + "and the same command goes on.";
        if (IsOutOfMemory(e))
            return $"memory ran out ({FirstLine(e.Message)}). Lower the image size, the number of images or --threads, give --precision bf16, "
                + "--checkpointing, --offload or --vae-tile 32, or close other programs.";
        if (IsLibtorchMissing(e))
            return $"libtorch could not be loaded ({FirstLine((e.InnerException ?? e).Message)}). 'nulltext doctor' says what is missing.";
        if (e is UnauthorizedAccessException)
            return $"{e.Message} Choose a place you may write to, or change its permissions.";
        if (IsKnown(e))
            return WithoutParameter(e);
        return $"{e.GetType().Name}: {FirstLine(e.Message)}";
    }

    /// <summary>No space, a used-up quota, or a limit on the size of files, which the runtime reports as if an argument were wrong.</summary>
    public static bool IsDiskFull(Exception e) => Disk.IsFull(e);

    // Exceptions of rooms that this file need not name: the library's own types end in a sentence that says what to try.
    private static bool IsKnownElsewhere(Exception e) => e.GetType().Namespace?.StartsWith("NullTextResearch", StringComparison.Ordinal) == true;

    private static bool IsOutOfMemory(Exception e) =>
        e is OutOfMemoryException || (e is ExternalException && e.Message.Contains("memory", StringComparison.OrdinalIgnoreCase));

    private static bool IsLibtorchMissing(Exception e) =>
        e is DllNotFoundException || (e is TypeInitializationException { TypeName: var name } && name.Contains("TorchSharp", StringComparison.Ordinal));

    // ArgumentException adds "(Parameter 'x')", which means nothing to a person at a terminal.
    private static string WithoutParameter(Exception e) =>
        e is ArgumentException { ParamName: { Length: > 0 } name } ? e.Message.Replace($" (Parameter '{name}')", "", StringComparison.Ordinal) : e.Message;

    private static string FirstLine(string text) => text.Split('\n', 2)[0].TrimEnd();
}

/// <summary>Something a command refuses, in words that say what to do instead.</summary>
internal class CommandException(string message) : Exception(message);

/// <summary>A command line that cannot be meant so, in words that say how it is meant; the program ends as for one that cannot be read.</summary>
internal sealed class UsageException(string message) : CommandException(message);
