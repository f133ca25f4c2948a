/**
 * Runs a declarative pipeline in the order in which Jenkins' ModelInterpreter does: stages until the first error, each
 * with its own ``post`` inside its options, then the ``post`` of all.
 */
class Declarative {
    static final List<String> CONDITIONS = ['always', 'aborted', 'success', 'unsuccessful', 'failure', 'cleanup']  // in order
    private final Build build
    private final Steps steps

    Declarative(Build build, Steps steps) {
        this.build = build
        this.steps = steps
    }

    void pipeline(Closure body) {
        def root = parts(body)
        parameters(root.parameters)
        if (!(root.options && calls(root.options).any { it.name == 'skipDefaultCheckout' })) {
            steps.checkout(steps.scm)
        }
        boolean failed = false
        calls(root.stages).each { each ->
            build.say "[Pipeline] stage: ${each.arguments[0]}"
            if (failed) {
                build.say "Stage \"${each.arguments[0]}\" skipped due to earlier failure(s)"
            } else {
                failed = !stage(parts(each.arguments[-1]))
            }
        }
        post(root.post)
    }

    /** Gives what stands in a block, by name: the last argument of each, which is a block in most of them. */
    private static Map parts(Closure body) {
        calls(body).collectEntries { [it.name, it.arguments[-1]] }
    }

    private static List<Map> calls(Closure body) {
        def heard = new Heard()
        said(body, heard)
        heard.calls
    }

    private void parameters(Closure body) {
        def declared = body ? calls(body).collectEntries {
            Steps.only(it.arguments[0], ['name', 'defaultValue'], ['description'])
            [it.arguments[0].name, it.arguments[0].defaultValue]
        } : [:]
        def strange = build.params.keySet() - declared.keySet()
        if (strange) {
            throw new Ended(Result.FAILURE, "the job has no parameter ${strange.join(', ')}")
        }
        declared.each { name, value -> build.params.putIfAbsent(name, value) }
        build.env.putAll(build.params)
    }

    /** Runs a stage, and its ``post`` inside its options; says whether it went well. */
    private boolean stage(Map stage) {
        Throwable inner = null
        Throwable outer = caught {
            within(stage.options) {
                inner = caught { run(stage.steps) }
                inner = post(stage.post) ?: inner
            }
        }
        !(inner ?: outer)
    }

    private void within(Closure options, Closure body) {
        options ? steps.lock(calls(options)[0].arguments[0], body) : body()
    }

    /** Runs the conditions that hold; an error in one does not keep the others from being run. */
    private Throwable post(Closure body) {
        Throwable first = null
        def found = body ? parts(body) : [:]
        CONDITIONS.findAll { it in found.keySet() && holds(it) }.each { condition ->
            build.say "[Pipeline] post: $condition"
            def error = caught { run(found[condition]) }
            first = first ?: error
        }
        first
    }

    private boolean holds(String condition) {
        switch (condition) {
            case ['always', 'cleanup']: return true
            case 'success': return build.result == Result.SUCCESS
            case 'unsuccessful': return build.result != Result.SUCCESS
            case 'failure': return build.result == Result.FAILURE
            case 'aborted': return build.result == Result.ABORTED
        }
    }

    private Throwable caught(Closure work) {
        try {
            work()
            null
        } catch (Exception error) {
            build.worse(error)
            build.say "${error instanceof Ended ? '' : error.class.simpleName + ': '}${error.message}"
            error
        }
    }

    private void run(Closure body) {
        said(body, steps)
    }

    private static void said(Closure body, Object to) {
        def own = body.rehydrate(to, body.owner, body.thisObject)
        own.resolveStrategy = Closure.DELEGATE_ONLY
        own.call()
    }
}

/** Hears what is said in a block, without doing it. */
class Heard {
    final List<Map> calls = []

    def methodMissing(String name, Object arguments) {
        calls << [name: name, arguments: arguments as List]
    }
}
