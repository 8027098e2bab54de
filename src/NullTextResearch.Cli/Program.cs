using System.CommandLine;
using NullTextResearch.Cli.Commands;
using NullTextResearch.Cli.Running;

namespace NullTextResearch.Cli;

internal static class Program
{
    private static int Main(string[] args)
    {
        Terminal.Guard();
        return CommandRunner.Invoke(CreateRoot(), args);
    }

    /// <summary>The root command with all subcommands.</summary>
    internal static RootCommand CreateRoot()
    {
        RootCommand root = new("Inversion and text-driven editing of real images with Stable Diffusion 1.x and 2.x.")
        {
            // One line per command.
            InvertCommand.Create(),
            EditCommand.Create(),
            CompareCommand.Create(),
            MeasureCommand.Create(),
            SampleCommand.Create(),
            PlanCommand.Create(),
            MethodsCommand.Create(),
            StudyCommand.Create(),
            BenchCommand.Create(),
            ReproduceCommand.Create(),
            DoctorCommand.Create(),
            TrainCommand.Create(),
            VerifyCommand.Create(),
            ModelCommand.Create(),
            NotebookCommand.Create(),
            KernelCommand.Create(),
            CompletionCommand.Create(),
        };
        CommandRunner.AddSharedOptions(root);
        root.SetAction(_ => Welcome());
        root.WithExamples(
            "nulltext reproduce --quick",
            "nulltext invert photo.png --prompt \"a cat on a meadow\"",
            "nulltext edit runs/photo --to \"a dog on a meadow\""
        );
        Examples.ShowIn(root);
        return root;
    }

    private static int Welcome()
    {
        Console.WriteLine(
            """
            nulltext: invert a real image, reconstruct it, edit it by prompt.

              nulltext reproduce --quick                                 the paper's figures, in a few minutes
              nulltext invert photo.png --prompt "a cat on a meadow"     find the noise and null texts of an image
              nulltext edit runs/photo --to "a dog on a meadow"          edit it, as often as you like
              nulltext sample --prompt "a red car in the desert"         images from a prompt
              nulltext notebook                                          the same in Jupyter, cell by cell
              nulltext model pull OWNER/NAME                             download a Stable Diffusion model from a hub
              nulltext plan --model OWNER/NAME                           which settings fit into memory, and how long they take
              nulltext doctor                                            check the installation

            Start with: nulltext reproduce --quick
            All commands: nulltext --help
            """
        );
        return CommandRunner.Done;
    }
}
